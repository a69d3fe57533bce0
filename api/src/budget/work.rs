//! The time that the database works for a request, paid also when nobody waits for the end of it any more.

use std::time::Instant;

use super::Account;
use crate::read::cost;

impl Account {
    /// Has the database work. The request costs its time at least; a client that goes away meanwhile pays what he asked
    /// for and that time, since nothing is settled for him later.
    pub async fn working<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut working = Working { account: self, begun: Instant::now(), is_done: false };
        let done = work.await;
        working.is_done = true;
        done
    }
}

struct Working<'a> {
    account: &'a mut Account,
    begun: Instant,
    is_done: bool,
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.account.cost_at_least(cost::of_time(self.begun.elapsed()));
        if !self.is_done {
            self.account.settle(self.account.requested());
        }
    }
}
