//! The actor that knows the attached editors, their models and their windows, and chooses an editor for a request.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context, Handler, Message, MessageResponse, MessageResult};

use super::availability::{EditorAvailability, Notifier, channel};
use crate::bridge::protocol::{ModelInfo, Window};
use crate::bridge::{Editor, EditorId};
use crate::failure::Failure;
use crate::keys::ClientIdentity;
use crate::models::permitted::{RequestedName, find_permitted};
use crate::models::{ModelEntry, merge_lists};

/// Keeps the state of the attached editors. Its handlers call `resolve` and the pure functions below for decisions.
pub struct ModelRegistry {
    editors: Vec<AttachedEditor>,
    /// Models of all editors in one list; merged again when an editor's models change.
    models: Arc<[ModelEntry]>,
    /// Number of the last use or focus: a clock that orders them.
    clock: u64,
    notifier: Notifier,
}

struct AttachedEditor {
    handle: Editor,
    window: Window,
    models: Vec<Arc<ModelInfo>>,
    /// Last use, on the registry's clock; 0 = never.
    last_used: u64,
    /// Last focus of its window, on the same clock; 0 = never.
    last_focused: u64,
}

/// Adds an editor that has attached, with its window.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Attach(pub Editor, pub Window);

/// Replaces the models of an editor.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SetModels(pub EditorId, pub Vec<ModelInfo>);

/// Replaces the window of an editor: its focus or its folders have changed.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SetWindow(pub EditorId, pub Window);

/// Removes an editor that has disconnected.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Detach(pub EditorId);

/// Fails the requests that wait for an editor, since the port is closing.
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

/// Numbers of attached editors and their models.
#[derive(Clone, Copy, MessageResponse)]
pub struct Counts {
    /// Number of models in the list that clients see.
    pub models: usize,
    /// Number of attached editors.
    pub editors: usize,
}

/// Reads the models and the windows of all editors.
#[derive(Message)]
#[rtype(result = "Snapshot")]
pub struct GetSnapshot;

/// Models and windows of the attached editors at one moment.
#[derive(MessageResponse)]
pub struct Snapshot {
    /// Models in the list that clients see.
    pub models: Arc<[ModelEntry]>,
    /// Windows in the order in which they attached.
    pub windows: Vec<Window>,
}

impl Snapshot {
    /// Returns the models; fails with a hint if there are none.
    pub fn require_models(self) -> Result<Arc<[ModelEntry]>, Failure> {
        require(self.models, self.windows.len())
    }
}

/// Resolves a model's name to a model and the editors that have it.
#[derive(Message)]
#[rtype(result = "Result<ResolvedModel, Failure>")]
pub struct ResolveModel {
    /// The name in the request; absent = the default model.
    pub requested: Option<String>,
    /// The user's default model; empty if none is set.
    pub default_model: String,
    /// Whether an unknown name resolves to the most similar model instead of failing.
    pub nearest_if_unknown: bool,
    /// The client that asks: its key may permit some models only.
    pub client: ClientIdentity,
}

/// A resolved model and the editors that have it.
pub struct ResolvedModel {
    /// The model that the requested name means.
    pub model: ModelEntry,
    /// Editors that have the model, the preferred one first; never empty.
    pub editors: Vec<Editor>,
}

/// Finds the windows whose tools a request may get: the preferred one first, then those to try if it doesn't respond.
#[derive(Message)]
#[rtype(result = "Result<Vec<Editor>, Failure>")]
pub struct FindWindows {
    /// A folder's path or name; absent = the window focused last.
    pub workspace: Option<String>,
}

impl Actor for ModelRegistry {
    type Context = Context<Self>;
}

impl Handler<Attach> for ModelRegistry {
    type Result = ();

    fn handle(&mut self, Attach(handle, window): Attach, _: &mut Context<Self>) {
        let last_focused = if window.focused { self.tick() } else { 0 };
        self.editors.push(AttachedEditor { handle, window, models: Vec::new(), last_used: 0, last_focused });
        self.notifier.editors_changed();
    }
}

impl Handler<SetModels> for ModelRegistry {
    type Result = ();

    fn handle(&mut self, SetModels(id, models): SetModels, _: &mut Context<Self>) {
        if let Some(editor) = self.editor(id) {
            editor.models = models.into_iter().map(Arc::new).collect();
        }
        self.merge_models();
        self.notifier.models_changed();
    }
}

impl Handler<SetWindow> for ModelRegistry {
    type Result = ();

    fn handle(&mut self, SetWindow(id, window): SetWindow, _: &mut Context<Self>) {
        let now = self.tick();
        if let Some(editor) = self.editor(id) {
            if window.focused {
                editor.last_focused = now;
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
        self.notifier.editors_changed();
    }
}

impl Handler<StopWaiting> for ModelRegistry {
    type Result = ();

    fn handle(&mut self, _: StopWaiting, _: &mut Context<Self>) {
        self.notifier.stop_waiting();
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
        let models = require(self.models.clone(), self.editors.len())?;
        let requested = RequestedName {
            name: message.requested.as_deref(),
            default_model: &message.default_model,
            nearest_if_unknown: message.nearest_if_unknown,
        };
        let model = find_permitted(&requested, &message.client, &models)?;
        let now = self.tick();
        let mut editors: Vec<&mut AttachedEditor> =
            self.editors.iter_mut().filter(|editor| editor.has(&model)).collect();
        editors.sort_by_key(|editor| editor.preference());
        if let Some(first) = editors.first_mut() {
            first.last_used = now;
        }
        let editors = editors.into_iter().map(|editor| editor.handle.clone()).collect();
        Ok(ResolvedModel { model, editors })
    }
}

impl Handler<FindWindows> for ModelRegistry {
    type Result = Result<Vec<Editor>, Failure>;

    fn handle(
        &mut self,
        FindWindows { workspace }: FindWindows,
        _: &mut Context<Self>,
    ) -> Result<Vec<Editor>, Failure> {
        let matches = |editor: &&AttachedEditor| {
            workspace.as_deref().is_none_or(|workspace| editor.has_folder(workspace))
        };
        let mut found: Vec<&AttachedEditor> = self.editors.iter().filter(matches).collect();
        found.sort_by_key(|editor| Reverse((editor.handle.is_responsive(), editor.last_focused)));
        if !found.is_empty() {
            return Ok(found.into_iter().map(|editor| editor.handle.clone()).collect());
        }
        Err(match workspace {
            Some(workspace) => Failure::invalid(
                "x-copilot-proxy-workspace",
                format!("no VS Code window has the folder `{workspace}` open"),
            ),
            None => Failure::NoModels { message: no_models_hint(0).into() },
        })
    }
}

impl ModelRegistry {
    /// A registry without editors, and a handle to wait for one: at most for `timeout` after an editor has attached or
    /// detached.
    pub fn new(timeout: Duration) -> (ModelRegistry, EditorAvailability) {
        let (notifier, availability) = channel(timeout);
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
    fn has(&self, entry: &ModelEntry) -> bool {
        self.models.iter().any(|model| model.id == entry.model.id && model.vendor == entry.model.vendor)
    }

    /// Sort key for requests, the smallest first: responsive editors, then idle ones, then the least recently used.
    fn preference(&self) -> (bool, bool, u64) {
        (!self.handle.is_responsive(), self.handle.open_requests() > 0, self.last_used)
    }

    fn has_folder(&self, workspace: &str) -> bool {
        let workspace = workspace.trim_end_matches(['/', '\\']);
        self.window.folders.iter().any(|folder| folder.name == workspace || folder.path == workspace)
    }
}

/// Returns the models; fails with a hint for this number of editors if there are none.
fn require(models: Arc<[ModelEntry]>, editors: usize) -> Result<Arc<[ModelEntry]>, Failure> {
    if models.is_empty() {
        return Err(Failure::NoModels { message: no_models_hint(editors).into() });
    }
    Ok(models)
}

fn no_models_hint(editors: usize) -> &'static str {
    if editors == 0 {
        "no VS Code window is attached: open VS Code with the Copilot Proxy extension, or run \
         `Copilot Proxy: Start Server` there"
    } else {
        "VS Code offers no language models: install GitHub Copilot, sign in to it, and allow Copilot Proxy to use \
         its models when VS Code asks"
    }
}
