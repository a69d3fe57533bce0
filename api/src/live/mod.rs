//! Live changes: the change feed, told as it grows.
//!
//! The journal is the truth. A `Hub` looks at its end once for all subscribers, when word comes that it has grown
//! (`db::News`) and from time to time; it wakes those whose kinds of objects have changed. Each `Subscription` then reads
//! on from its own place, through the plan and the rights of the query `changes`, up to where the hub has looked.

mod hub;
mod subscription;

pub use hub::Hub;
pub use subscription::{Ending, Subscription};
