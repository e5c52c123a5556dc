//! Sessions on hosts, as whoever kept them reports them.

use ::api::check::sized;
use ::api::object;
use ::api::permission::{ReadEstate, WriteEstate};
use ::api::problem::Problem;
use model::id::{ConnectionId, FindingId, IntentId, TerminalSessionId, UserId};
use model::{Digest, Timestamp};

object! {
    /// A session on a host, with its recording's hash.
    TerminalSession (TerminalSessionIn, TerminalSessionOut) {
        word: "terminal_session", plural: "terminal sessions", path: "/terminal-sessions",
        table: "countersign.terminal_sessions", tag: "estate", verbs: Keep,
        id: TerminalSessionId, read: ReadEstate, write: WriteEstate,
        example: {
            "user_id": "usr_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
            "connection_id": "con_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
            "started_at": "2026-03-01T10:00:00Z", "ended_at": "2026-03-01T10:12:30Z",
            "recording_path": "recordings/2026/03/01/web-1.cast",
            "recording_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
        }
    }
    given {
        /// When it ended.
        ended_at: Option<Timestamp> => Time.filter();
        /// Where its recording lies.
        #[schema(max_length = 255)]
        recording_path: Option<String> => Text.search();
        /// The recording's SHA-256.
        recording_sha256: Option<String> => Sha256;
    }
    once {
        /// Who opened it.
        #[schema(value_type = String)]
        user_id: UserId => Id.filter();
        /// On which connection.
        #[schema(value_type = String)]
        connection_id: ConnectionId => Id.filter();
        /// For which finding.
        #[schema(value_type = Option<String>)]
        finding_id: Option<FindingId> => Id.filter();
        /// By which intent.
        #[schema(value_type = Option<String>)]
        intent_id: Option<IntentId> => Id.filter();
        /// When it was opened.
        started_at: Timestamp => Time.filter().sort();
    }
    kept {}
    check(wanted) {
        let path = wanted.recording_path.as_deref();
        path.map_or(Ok(()), |path| sized("/recording_path", path, 1..=255))?;
        if let Some(hash) = &wanted.recording_sha256
            && hash.parse::<Digest>().is_err()
        {
            let message = "must be 64 hexadecimal digits";
            return Err(Problem::invalid("/recording_sha256", "shape", message));
        }
        match wanted.ended_at {
            Some(ended) if ended < wanted.started_at => {
                let message = "must not be before started_at";
                Err(Problem::invalid("/ended_at", "out_of_range", message))
            }
            _ => Ok(()),
        }
    }
}
