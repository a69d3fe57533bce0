//! The product seen from outside, on both databases: a file per noun or topic, a test per sentence.

mod smoke;
