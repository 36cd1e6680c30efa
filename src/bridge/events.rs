//! Events that the bridge reports to the rest of the server.

use super::editor::{Editor, EditorId};
use super::protocol::{ModelInfo, UserSettings, Window};

/// Event of the bridge: an editor attached, sent a message about the connection, or detached.
pub enum BridgeEvent {
    /// An editor has attached; its window as the hello describes it.
    Attached(Editor, Window),
    /// An editor sent the list of its models.
    Models(EditorId, Vec<ModelInfo>),
    /// The focus or the folders of an editor's window changed.
    Window(EditorId, Window),
    /// An editor sent the user's settings: all of them, changed or not.
    UserSettings(UserSettings),
    /// The user starts the server: open the HTTP port.
    Start,
    /// The user stops the server: close the HTTP port.
    Stop,
    /// A newer editor asks this server to hand over to its own.
    Handover,
    /// An editor opened (`true`) or closed its panel.
    Watch(EditorId, bool),
    /// An editor asks for the captured bodies of the request with this id.
    GetExchange(EditorId, String),
    /// The user stops the request with this id.
    StopRequest(String),
    /// An editor's connection has ended.
    Detached(EditorId),
}
