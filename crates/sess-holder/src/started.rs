//! What a holder tells who started it: that the program runs, or why not.

use serde::{Deserialize, Serialize};

/// The outcome of a start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Started {
    /// The program runs and the socket answers.
    Running,
    /// The program can't be run.
    CannotRun {
        /// The exit code for that: 126, or 127 if there is none such.
        code: u8,
        /// Why.
        reason: String,
    },
    /// Something else went wrong.
    Failed(String),
}

impl Started {
    /// As bytes for the pipe.
    pub(crate) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// From the pipe's bytes; none at all are a holder that died.
    pub fn decode(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes)
            .unwrap_or_else(|_| Self::Failed("the session's process died at once".to_owned()))
    }
}
