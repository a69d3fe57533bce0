//! Tokens that are good, tokens that are hostile, keys that come, change and fail to come.

mod dev;
mod hostile;
mod issuer_server;
mod keys;
mod signatures;
mod support;
