//! Which lines the table must have, and no others: the rights that the code asks for.

use super::table::{Resource as R, Verb as V};

/// Every right by resource, verb and field group.
///
/// A right that is asked for and not listed here stops a debug build where it is asked; a line that is listed and
/// not in the table, or in the table and not listed, stops the start-up.
pub(super) const NEEDED: &[(R, V, &str)] = &[
    (R::Site, V::Read, ""),
    (R::Site, V::Create, ""),
    (R::Site, V::Update, "descriptive"),
    (R::Site, V::Update, "label"),
    (R::Site, V::Update, "communes"),
    (R::Site, V::Transition, ""),
    (R::Site, V::Delete, ""),
    (R::Milestone, V::Read, ""),
    (R::Referential, V::Read, ""),
    (R::SiteQpv, V::Read, ""),
    (R::SiteQpv, V::Write, ""),
    (R::Partner, V::Read, ""),
    (R::Partner, V::Read, "restricted"),
    (R::Partner, V::Create, ""),
    (R::Partner, V::Update, ""),
    (R::Partner, V::Merge, ""),
    (R::Partner, V::Close, ""),
    (R::Seat, V::Read, ""),
    (R::Seat, V::Write, "member"),
    (R::Seat, V::Write, "steering"),
    (R::Referent, V::Read, ""),
    (R::Referent, V::Write, ""),
    (R::Referent, V::Erase, ""),
    (R::GovernanceBody, V::Read, ""),
    (R::GovernanceBody, V::Read, "restricted"),
    (R::GovernanceBody, V::Write, ""),
    (R::GovernanceMember, V::Read, ""),
    (R::Meeting, V::Read, ""),
    (R::Meeting, V::Write, ""),
    (R::Roadmap, V::Read, ""),
    (R::Roadmap, V::Write, ""),
    (R::Roadmap, V::Adopt, ""),
    (R::Axis, V::Read, ""),
    (R::Axis, V::Write, ""),
    (R::Action, V::Read, ""),
    (R::Action, V::Create, ""),
    (R::Action, V::Update, "source"),
    (R::Action, V::Update, "local"),
    (R::Action, V::Transition, ""),
    (R::Action, V::Reopen, ""),
    (R::Action, V::Delete, ""),
    (R::Figure, V::Read, ""),
    (R::Figure, V::Write, ""),
    (R::Figure, V::Write, "indicator"),
    (R::Figure, V::Validate, ""),
    (R::Figure, V::Withdraw, ""),
    (R::NationalFigure, V::Write, ""),
    (R::FundingLine, V::Read, ""),
    (R::FundingLine, V::Write, ""),
    (R::AuditEvent, V::Read, ""),
    (R::AuditEvent, V::Read, "actor"),
    (R::ApiClient, V::Read, ""),
    (R::ApiClient, V::Write, ""),
    (R::Webhook, V::Read, ""),
    (R::Webhook, V::Write, ""),
    // of the domain's matrix, for what is to come
    (R::Referential, V::Write, ""),
    (R::ImportBatch, V::Create, ""),
    (R::ImportBatch, V::Snapshot, ""),
    (R::ImportBatch, V::Read, ""),
    (R::ChangeFeed, V::Read, ""),
];

/// Whether something asks for a right.
pub(super) fn is_needed(resource: R, verb: V, group: &str) -> bool {
    NEEDED.contains(&(resource, verb, group))
}
