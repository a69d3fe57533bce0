//! Why the server closes a socket. Codes from 4000 on are those of graphql-transport-ws.

use std::borrow::Cow;

use crate::http::executor::Ending;

/// A code, and a reason for people: 123 bytes at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Close {
    pub code: u16,
    pub reason: Cow<'static, str>,
}

impl Close {
    pub const fn new(code: u16, reason: &'static str) -> Self {
        Self { code, reason: Cow::Borrowed(reason) }
    }

    /// What is told a client whose streams end.
    pub const fn of(ending: &Ending) -> Self {
        match ending {
            Ending::Expired => EXPIRED,
            Ending::TokenRevoked => TOKEN_REVOKED,
            Ending::Revoked => REVOKED,
            Ending::Failed(_) => INTERNAL,
        }
    }

    /// The same code for a reason of its own.
    pub fn because(mut self, reason: &str) -> Self {
        let mut end = reason.len().min(123);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        self.reason = Cow::Owned(reason[..end].to_owned());
        self
    }
}

/// The client closed, and hears it back.
pub(super) const NORMAL: Close = Close::new(1000, "");
/// The server stops: the client goes on elsewhere.
pub(super) const GOING_AWAY: Close = Close::new(1001, "the server stops; go on from the last cursor");
pub(super) const TOO_LARGE: Close = Close::new(1009, "the message is too large; send the operation by POST");
/// Clients take this one for a reason to try again, and 4429 or 4500 for the end.
pub(super) const TOO_SLOW: Close =
    Close::new(1013, "events are not read fast enough; go on from the last cursor");
pub(super) const TRY_LATER: Close = Close::new(1013, "tokens cannot be checked for now; try again later");
/// With the reason of the refusal.
pub(super) const NO_ROOM: Close = Close::new(1013, "");
pub(super) const BAD_MESSAGE: Close = Close::new(4400, "not a message of graphql-transport-ws");
pub(super) const UNAUTHORIZED: Close = Close::new(4401, "Unauthorized");
pub(super) const EXPIRED: Close = Close::new(4401, "the token has expired; go on with another");
pub(super) const TOKEN_REVOKED: Close = Close::new(4401, "the token was revoked; go on with another");
pub(super) const REVOKED: Close =
    Close::new(4403, "the grant of this client has changed or ended; begin again");
pub(super) const NO_INIT: Close = Close::new(4408, "Connection initialisation timeout");
/// The client opens another when it has something to ask.
pub(super) const IDLE: Close =
    Close::new(4408, "nothing was under way for a minute; open another when there is");
pub(super) const TWICE: Close = Close::new(4409, "Subscriber already exists");
pub(super) const TWO_INITS: Close = Close::new(4429, "Too many initialisation requests");
pub(super) const TOO_MANY: Close = Close::new(4429, "Too many operations on this connection");
pub(super) const INTERNAL: Close = Close::new(4500, "Internal server error");
