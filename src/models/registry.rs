//! The editors that are attached, their models and their windows: who can answer a request.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context, Handler, Message, MessageResponse, MessageResult};

use super::availability::{EditorAvailability, Notifier, channel};
use crate::bridge::protocol::{ModelInfo, Window};
use crate::bridge::{Editor, EditorId};
use crate::failure::Failure;
use crate::models::{ModelEntry, merge_lists, resolve, resolve_to_nearest};

/// Keeps the facts; what follows from them is decided in `models` and in the pure functions below.
pub struct ModelRegistry {
    editors: Vec<AttachedEditor>,
    /// The models of all editors in one list; made anew when one of them changes.
    models: Arc<[ModelEntry]>,
    clock: u64,
    notifier: Notifier,
}

struct AttachedEditor {
    handle: Editor,
    window: Window,
    models: Vec<Arc<ModelInfo>>,
    /// Last use, on the registry's own clock; 0 = never.
    asked: u64,
    /// Last time when its window got the focus, on the same clock.
    focused: u64,
}

/// An editor has attached.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Attach(pub Editor, pub Window);

/// An editor's models, all of them.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SetModels(pub EditorId, pub Vec<ModelInfo>);

/// An editor's window changed.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SetWindow(pub EditorId, pub Window);

/// An editor has gone.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Detach(pub EditorId);

/// The port closes: no question is to wait for an editor.
#[derive(Message)]
#[rtype(result = "()")]
pub struct StopWaiting;

/// Reads the models of all editors.
#[derive(Message)]
#[rtype(result = "Arc<[ModelEntry]>")]
pub struct GetModels;

/// Counts the models and the editors.
#[derive(Message)]
#[rtype(result = "Counts")]
pub struct GetCounts;

/// Numbers of what is attached.
#[derive(Clone, Copy, MessageResponse)]
pub struct Counts {
    /// Models, as clients see them.
    pub models: usize,
    /// Attached editors.
    pub editors: usize,
}

/// Reads the models and the windows of all editors.
#[derive(Message)]
#[rtype(result = "Snapshot")]
pub struct GetSnapshot;

/// The attached editors, as they are now.
#[derive(MessageResponse)]
pub struct Snapshot {
    /// Their models, as clients see them.
    pub models: Arc<[ModelEntry]>,
    /// Their windows, in the order of attaching.
    pub windows: Vec<Window>,
}

impl Snapshot {
    /// The models; where there are none, what to do about it.
    pub fn some_models(self) -> Result<Arc<[ModelEntry]>, Failure> {
        some(self.models, self.windows.len())
    }
}

/// Resolves a model's name to a model and the editors that have it.
#[derive(Message)]
#[rtype(result = "Result<ResolvedModel, Failure>")]
pub struct ResolveModel {
    /// The name in the request; absent = the default model.
    pub requested: Option<String>,
    /// The user's default model; empty = none set.
    pub default_model: String,
    /// An unknown name means the nearest kind rather than an error.
    pub nearest_if_unknown: bool,
}

/// A model and those who have it.
pub struct ResolvedModel {
    /// The model that the name means.
    pub model: ModelEntry,
    /// The editors that have it, never empty, the one to ask first in front.
    pub editors: Vec<Editor>,
}

/// Finds the window whose tools a request means.
#[derive(Message)]
#[rtype(result = "Result<Editor, Failure>")]
pub struct FindWindow {
    /// A folder's path or name; absent = the window focused last.
    pub workspace: Option<String>,
}

impl Actor for ModelRegistry {
    type Context = Context<Self>;
}

impl Handler<Attach> for ModelRegistry {
    type Result = ();

    fn handle(&mut self, Attach(handle, window): Attach, _: &mut Context<Self>) {
        let focused = if window.focused { self.tick() } else { 0 };
        self.editors.push(AttachedEditor { handle, window, models: Vec::new(), asked: 0, focused });
        self.notifier.moved();
    }
}

impl Handler<SetModels> for ModelRegistry {
    type Result = ();

    fn handle(&mut self, SetModels(id, models): SetModels, _: &mut Context<Self>) {
        if let Some(editor) = self.editor(id) {
            editor.models = models.into_iter().map(Arc::new).collect();
        }
        self.merge_models();
        self.notifier.told();
    }
}

impl Handler<SetWindow> for ModelRegistry {
    type Result = ();

    fn handle(&mut self, SetWindow(id, window): SetWindow, _: &mut Context<Self>) {
        let now = self.tick();
        if let Some(editor) = self.editor(id) {
            if window.focused {
                editor.focused = now;
            }
            editor.window = window;
        }
    }
}

impl Handler<Detach> for ModelRegistry {
    type Result = ();

    fn handle(&mut self, Detach(id): Detach, _: &mut Context<Self>) {
        self.editors.retain(|editor| editor.handle.id() != id);
        self.merge_models();
        self.notifier.moved();
    }
}

impl Handler<StopWaiting> for ModelRegistry {
    type Result = ();

    fn handle(&mut self, _: StopWaiting, _: &mut Context<Self>) {
        self.notifier.close();
    }
}

impl Handler<GetModels> for ModelRegistry {
    type Result = MessageResult<GetModels>;

    fn handle(&mut self, _: GetModels, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.models.clone())
    }
}

impl Handler<GetCounts> for ModelRegistry {
    type Result = Counts;

    fn handle(&mut self, _: GetCounts, _: &mut Context<Self>) -> Counts {
        Counts { models: self.models.len(), editors: self.editors.len() }
    }
}

impl Handler<GetSnapshot> for ModelRegistry {
    type Result = Snapshot;

    fn handle(&mut self, _: GetSnapshot, _: &mut Context<Self>) -> Snapshot {
        Snapshot {
            models: self.models.clone(),
            windows: self.editors.iter().map(|editor| editor.window.clone()).collect(),
        }
    }
}

impl Handler<ResolveModel> for ModelRegistry {
    type Result = Result<ResolvedModel, Failure>;

    fn handle(&mut self, message: ResolveModel, _: &mut Context<Self>) -> Result<ResolvedModel, Failure> {
        let models = some(self.models.clone(), self.editors.len())?;
        let asked = message.requested.as_deref();
        let resolve = if message.nearest_if_unknown { resolve_to_nearest } else { resolve };
        let found = resolve(asked, &message.default_model, &models);
        let Some(model) = found.cloned() else {
            return Err(Failure::UnknownModel {
                asked: message.requested.unwrap_or_default(),
                known: models.iter().map(|entry| entry.id.clone()).collect(),
            });
        };
        let now = self.tick();
        let mut having: Vec<&mut AttachedEditor> =
            self.editors.iter_mut().filter(|editor| editor.has(&model)).collect();
        having.sort_by_key(|editor| editor.turn());
        if let Some(first) = having.first_mut() {
            first.asked = now;
        }
        let editors = having.into_iter().map(|editor| editor.handle.clone()).collect();
        Ok(ResolvedModel { model, editors })
    }
}

impl Handler<FindWindow> for ModelRegistry {
    type Result = Result<Editor, Failure>;

    fn handle(
        &mut self,
        FindWindow { workspace }: FindWindow,
        _: &mut Context<Self>,
    ) -> Result<Editor, Failure> {
        let meant =
            |editor: &&AttachedEditor| workspace.as_deref().is_none_or(|workspace| editor.shows(workspace));
        let found = self
            .editors
            .iter()
            .filter(meant)
            .max_by_key(|editor| (editor.handle.is_responsive(), editor.focused));
        found.map(|editor| editor.handle.clone()).ok_or_else(|| match workspace {
            Some(workspace) => Failure::invalid(
                "x-copilot-proxy-workspace",
                format!("no VS Code window has the folder `{workspace}` open"),
            ),
            None => Failure::NoModels { message: what_to_do_without_models(0).into() },
        })
    }
}

impl ModelRegistry {
    /// Without editors; and the way to wait for one, at most this long after one has come or left.
    pub fn new(patience: Duration) -> (ModelRegistry, EditorAvailability) {
        let (notifier, availability) = channel(patience);
        (ModelRegistry { editors: Vec::new(), models: Arc::default(), clock: 0, notifier }, availability)
    }

    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    fn editor(&mut self, id: EditorId) -> Option<&mut AttachedEditor> {
        self.editors.iter_mut().find(|editor| editor.handle.id() == id)
    }

    fn merge_models(&mut self) {
        self.models = merge_lists(self.editors.iter().map(|editor| editor.models.as_slice())).into();
    }
}

impl AttachedEditor {
    fn has(&self, listed: &ModelEntry) -> bool {
        self.models.iter().any(|model| model.id == listed.model.id && model.vendor == listed.model.vendor)
    }

    /// The smallest is asked first: the one that has been idle longest.
    fn turn(&self) -> (bool, bool, u64) {
        (!self.handle.is_responsive(), self.handle.open_requests() > 0, self.asked)
    }

    fn shows(&self, workspace: &str) -> bool {
        let workspace = workspace.trim_end_matches(['/', '\\']);
        self.window.folders.iter().any(|folder| folder.name == workspace || folder.path == workspace)
    }
}

fn some(models: Arc<[ModelEntry]>, editors: usize) -> Result<Arc<[ModelEntry]>, Failure> {
    if models.is_empty() {
        return Err(Failure::NoModels { message: what_to_do_without_models(editors).into() });
    }
    Ok(models)
}

fn what_to_do_without_models(editors: usize) -> &'static str {
    if editors == 0 {
        "no VS Code window is attached: open VS Code with the Copilot Proxy extension, or run \
         `Copilot Proxy: Start Server` there"
    } else {
        "VS Code offers no language models: install GitHub Copilot, sign in to it, and allow Copilot Proxy to use \
         its models when VS Code asks"
    }
}
