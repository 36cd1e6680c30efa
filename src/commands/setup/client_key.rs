//! The key that names a client: made with its configuration, which has it in the clear; the server knows its hash from the
//! state directory.

use std::path::Path;

use super::{SetupError, SetupOptions, at};
use crate::keys::SetupKeys;

/// The key for a configuration file.
pub(super) struct ClientKey {
    keys: SetupKeys,
    pub text: String,
    is_new: bool,
}

impl ClientKey {
    /// The valid key that one of the files has already, else a new one. None if the user wants none, if the server is not of
    /// this machine, or without a state directory.
    pub fn of(options: &SetupOptions, before: &[Option<&str>]) -> Result<Option<ClientKey>, SetupError> {
        let state = options.server.directory.state_path();
        let Some(state) = state.filter(|_| !options.no_key && options.server.is_local()) else {
            return Ok(None);
        };
        let keys = SetupKeys::open(&state).map_err(at(&state.join(SetupKeys::FILE)))?;
        let known = before.iter().flatten().find_map(|before| keys.find_in(before)).map(str::to_owned);
        let is_new = known.is_none();
        let text = match known {
            Some(known) => known,
            None => SetupKeys::make()?,
        };
        Ok(Some(ClientKey { keys, text, is_new }))
    }

    /// The valid key in a file's text.
    pub fn in_text(options: &SetupOptions, text: Option<&str>) -> Result<Option<String>, SetupError> {
        let Some(state) = options.server.directory.state_path() else { return Ok(None) };
        let keys = SetupKeys::open(&state).map_err(at(&state.join(SetupKeys::FILE)))?;
        Ok(text.and_then(|text| keys.find_in(text)).map(str::to_owned))
    }

    /// Makes it valid, under the client's name.
    pub fn record(&mut self, client: &str, file: &Path) -> Result<(), SetupError> {
        if self.is_new {
            self.keys.add(client, file, &self.text).map_err(at(self.keys.path()))?;
        }
        Ok(())
    }

    /// Revokes the key of a file that was restored, unless it still has it.
    pub fn remove(options: &SetupOptions, file: &Path, restored: Option<&str>) -> Result<(), SetupError> {
        let Some(state) = options.server.directory.state_path() else { return Ok(()) };
        let path = state.join(SetupKeys::FILE);
        let mut keys = SetupKeys::open(&state).map_err(at(&path))?;
        if restored.is_some_and(|restored| keys.find_in(restored).is_some()) {
            return Ok(());
        }
        keys.remove(file).map_err(at(&path))
    }
}
