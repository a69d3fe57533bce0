//! Vocabularies of the platform itself: what it keeps of writes, imports and deliveries.

use sea_orm::entity::prelude::*;

text_enum! {
    /// Outcome of loading one file.
    IngestState {
        /// Under way.
        Running = "RUNNING",
        /// Loaded.
        Done = "DONE",
        /// Stopped by an error.
        Failed = "FAILED",
        /// Same content as the last time: nothing to do.
        Unchanged = "UNCHANGED",
    }
}

text_enum! {
    /// What happened to an object, for those who follow changes.
    JournalOp {
        /// Made or changed.
        Upsert = "UPSERT",
        /// Deleted.
        Delete = "DELETE",
    }
}

text_enum! {
    /// State of a request that carries an idempotency key.
    IdempotencyState {
        /// Under way.
        Running = "RUNNING",
        /// Answered; the answer is stored.
        Done = "DONE",
    }
}

text_enum! {
    /// Whether a client may still call (« habilitation »).
    GrantStatus {
        /// It may (« active »).
        Active = "ACTIVE",
        /// It may no longer (« révoquée »).
        Revoked = "REVOKED",
    }
}

text_enum! {
    /// What the rows that an import does not name mean (« mode d'import »).
    ImportMode {
        /// Nothing: they stay as they are.
        Upsert = "UPSERT",
        /// They are gone: the import holds every action of its site and source system.
        FullSnapshot = "FULL_SNAPSHOT",
    }
}

text_enum! {
    /// What became of one item of an import (« suite donnée »).
    ImportOutcome {
        /// The action was not there and is now.
        Created = "CREATED",
        /// The action was changed or deleted.
        Updated = "UPDATED",
        /// The action says this already, or something newer; nothing was written.
        Unchanged = "UNCHANGED",
        /// The action is not at the version that the item starts from; nothing was written.
        Conflict = "CONFLICT",
        /// The item is wrong; nothing was written.
        Rejected = "REJECTED",
    }
}

text_enum! {
    /// Where an import stands (« état de l'import »).
    ImportStatus {
        /// Its items arrive.
        Running = "RUNNING",
        /// Every item has its outcome.
        Completed = "COMPLETED",
    }
}

text_enum! {
    /// What a wrong item of an import means for the others (« en cas d'erreur »).
    ImportErrorPolicy {
        /// Nothing: the others are written.
        Continue = "CONTINUE",
        /// Nothing of the import is written.
        Abort = "ABORT",
    }
}

text_enum! {
    /// Whether changes are posted to an address (« état du webhook »).
    WebhookState {
        /// They are, as they happen (« actif »).
        Active = "ACTIVE",
        /// They wait (« en pause »).
        Paused = "PAUSED",
    }
}

text_enum! {
    /// Why changes are not posted to an address (« motif de la pause »).
    WebhookPauseReason {
        /// Its owner paused it.
        Owner = "OWNER",
        /// It took nothing for three days.
        Failing = "FAILING",
        /// It answered 410: it is gone.
        Gone = "GONE",
        /// The database does not know its cursor any more; set another.
        CursorExpired = "CURSOR_EXPIRED",
        /// The tokens were revoked that it was made or changed with; take it up again with a newer one.
        TokenRevoked = "TOKEN_REVOKED",
    }
}
