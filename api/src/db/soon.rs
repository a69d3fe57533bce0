//! Waits on the spot for what another thread does in a moment.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// How long a thread waits before it does something else meanwhile: several times what a statement about a few rows
/// takes, and little to those whom this thread serves as well.
const MOMENT: Duration = Duration::from_micros(500);

/// What a future comes to. Who is answered through an event loop goes on after whatever that has to do first; who
/// waits here goes on at once.
pub async fn soon<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut is_first = true;
    std::future::poll_fn(|context| {
        if std::mem::take(&mut is_first) {
            let waker = Waker::from(Arc::new(Here(thread::current())));
            let until = Instant::now() + MOMENT;
            loop {
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return Poll::Ready(output);
                }
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                thread::park_timeout(left);
            }
        }
        future.as_mut().poll(context)
    })
    .await
}

/// A thread that waits.
struct Here(Thread);

impl Wake for Here {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
