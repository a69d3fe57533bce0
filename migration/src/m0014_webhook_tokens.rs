use crate::added::AddedColumns;
use crate::column::{instant, text};

/// The token with which a webhook was last written; of those written before, nothing is known.
pub const CHANGE: AddedColumns = AddedColumns {
    name: "m0014_webhook_tokens",
    table: "webhook",
    columns: || vec![text("token_jti").null(), instant("token_issued_at").null()],
};
