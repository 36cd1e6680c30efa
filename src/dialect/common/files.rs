//! Files in requests. Models behind VS Code read them as text or see them as images; there is no third way.

use super::media::{self, Unshowable};
use super::placeholders::{file_left_out, named_file_left_out};
use crate::conversation::{Content, Data};
use crate::failure::{Failure, ResultExt};

/// A file as OpenAI's APIs have it: with its content, or named by an address or an id.
#[derive(Debug, Default)]
pub struct File {
    pub name: Option<String>,
    /// Officially a `data:` URL; some clients send the base64 alone.
    pub data: Option<String>,
    pub url: Option<String>,
    pub id: Option<String>,
}

impl File {
    /// Reads the file. The path of a failure is that of a field.
    pub fn read(self, unshowable: Unshowable) -> Result<Content, Failure> {
        const INSTEAD: &str = "send the content itself";
        if let Some(id) = self.id {
            let reason = Failure::unsupported("file_id", format!("no files are kept here; {INSTEAD}"));
            return unshowable.or_placeholder(reason, || named_file_left_out("file", &id));
        }
        if let Some(url) = self.url {
            let reason =
                Failure::unsupported("file_url", format!("nothing is fetched from the network; {INSTEAD}"));
            return unshowable.or_placeholder(reason, || named_file_left_out("file", &url));
        }
        let name = self.name.as_deref();
        let Some(file) = self.data else {
            let reason = Failure::invalid("file_data", "required, but missing");
            return unshowable.or_placeholder(reason, || file_left_out("file", "", name));
        };
        let file = if media::is_data_url(&file) { media::data_url(&file) } else { media::data("", &file) };
        match file.at("file_data") {
            Ok(file) => read(file, "file", name, unshowable).at("file_data"),
            Err(reason) => unshowable.or_placeholder(reason, || file_left_out("file", "", name)),
        }
    }
}

/// Reads the bytes of a file, whatever their label; its name stands before its text. `noun` is the API's name of a file.
pub fn read(file: Data, noun: &str, name: Option<&str>, unshowable: Unshowable) -> Result<Content, Failure> {
    if let Some(mime) = file.image_type() {
        return Ok(Content::Data(Data { mime: mime.into(), ..file }));
    }
    if let Some(text) = media::text(&file) {
        return Ok(Content::Text {
            text: match name {
                Some(name) => format!("{name}:\n{text}"),
                None => text,
            },
        });
    }
    let reason = Failure::unsupported(
        "",
        format!("VS Code's models take text and images, no other files; send the {noun}'s text"),
    );
    let mime = if media::is_pdf(&file) { media::PDF } else { &file.mime };
    unshowable.or_placeholder(reason, || file_left_out(noun, mime, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(data: &str) -> File {
        File { name: Some("a".into()), data: Some(data.into()), ..File::default() }
    }

    fn text(text: &str) -> Content {
        Content::Text { text: text.into() }
    }

    #[test]
    fn text_files_are_read_and_images_become_images() {
        for unshowable in [Unshowable::Reject, Unshowable::Describe] {
            for data in
                ["data:text/plain;base64,aGVsbG8=", "aGVsbG8", "data:application/json;base64,aGVsbG8="]
            {
                assert_eq!(file(data).read(unshowable), Ok(text("a:\nhello")), "{data}");
            }
            let png = Data { mime: "image/png".into(), base64: "iVBORw==".into() };
            assert_eq!(file("data:image/jpeg;base64,iVBORw==").read(unshowable), Ok(Content::Data(png)));
        }
    }

    #[test]
    fn other_files_are_rejected_or_described() {
        let named = |id: &str, url: &str| File {
            id: Some(id.into()).filter(|id: &String| !id.is_empty()),
            url: Some(url.into()),
            ..File::default()
        };
        let left_out = "left out: only text and images can be shown]";
        for (file, at, words) in [
            (
                file("data:application/pdf;base64,JVBERi0xLjQK"),
                "file_data",
                format!("[PDF file (application/pdf) `a` {left_out}"),
            ),
            (file("JVBERi0xLjQK"), "file_data", format!("[PDF file (application/pdf) `a` {left_out}")),
            (
                file("data:application/zip;base64,AAAA"),
                "file_data",
                format!("[file of type application/zip `a` {left_out}"),
            ),
            (file("*"), "file_data", format!("[file `a` {left_out}")),
            (File::default(), "file_data", format!("[file {left_out}")),
            (named("file-1", "x"), "file_id", "[file file-1 left out: nothing is fetched here]".into()),
            (
                named("", "https://a.test/b"),
                "file_url",
                "[file https://a.test/b left out: nothing is fetched here]".into(),
            ),
        ] {
            let again = File {
                name: file.name.clone(),
                data: file.data.clone(),
                url: file.url.clone(),
                id: file.id.clone(),
            };
            let reason = file.read(Unshowable::Reject).unwrap_err().to_string();
            assert!(reason.starts_with(&format!("{at}: ")), "{reason}");
            assert_eq!(again.read(Unshowable::Describe), Ok(text(&words)));
        }
    }
}
