//! One test, two databases.

use crate::{Backend, Template, TestApp};

/// Runs a test against a new server, with these variables, on a new database, and drops both whatever the test comes to.
pub fn run(
    backend: Backend,
    template: Template,
    settings: &[&[(&str, &str)]],
    test: impl AsyncFnOnce(&TestApp),
) {
    let with_app = async || {
        let app = TestApp::start_with(backend, template, &settings.concat()).await;
        test(&app).await;
        app.stop().await;
    };
    match backend {
        Backend::Sqlite => block_on(with_app),
        Backend::Postgres => block_on_postgres(with_app),
    }
}

/// Runs a test that PostgreSQL alone can make, unless `TEST_SKIP_POSTGRES=1`.
pub fn block_on_postgres(test: impl AsyncFnOnce()) {
    if !std::env::var("TEST_SKIP_POSTGRES").is_ok_and(|skip| skip == "1") {
        block_on(test);
    }
}

/// Runs a test that makes its own ground.
pub fn block_on(test: impl AsyncFnOnce()) {
    // One worker beside the test's own thread: connections go on while the test waits for a process.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(test());
}

/// `on_both!(a_sentence, Small, async |app| { … })`: a test `a_sentence::sqlite` and one `a_sentence::postgres`.
///
/// A constant named before the test holds variables with other settings of the server: `Small with FEW, async |app| …`.
/// Without PostgreSQL the second fails, unless `TEST_SKIP_POSTGRES=1` says that it is not wanted.
#[macro_export]
macro_rules! on_both {
    ($name:ident, $template:ident $(with $settings:ident)?, async |$app:ident| $body:block) => {
        async fn $name($app: &$crate::TestApp) $body

        mod $name {
            #[test]
            fn sqlite() {
                let settings: &[&[(&str, &str)]] = &[$(&super::$settings)?];
                $crate::run($crate::Backend::Sqlite, $crate::Template::$template, settings, super::$name);
            }

            #[test]
            fn postgres() {
                let settings: &[&[(&str, &str)]] = &[$(&super::$settings)?];
                $crate::run($crate::Backend::Postgres, $crate::Template::$template, settings, super::$name);
            }
        }
    };
}
