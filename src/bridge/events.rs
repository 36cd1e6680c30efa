//! Events that the bridge reports to the rest of the server.

use super::editor::{Editor, EditorId};
use super::protocol::{ModelInfo, UserSettings, Window};

/// An event of an attached editor.
pub enum BridgeEvent {
    /// An editor has attached.
    Attached(Editor, Window),
    /// An editor's models, all of them.
    Models(EditorId, Vec<ModelInfo>),
    /// An editor's window changed.
    Window(EditorId, Window),
    /// The user changed a setting.
    UserSettings(UserSettings),
    /// Open the port.
    Start,
    /// Close the port.
    Stop,
    /// A newer editor asks this server to make room.
    Handover,
    /// The panel of an editor was opened or closed.
    Watch(EditorId, bool),
    /// An editor wants to show the bodies of this request.
    GetExchange(EditorId, String),
    /// The user wants to stop this request.
    StopRequest(String),
    /// An editor has detached.
    Detached(EditorId),
}
