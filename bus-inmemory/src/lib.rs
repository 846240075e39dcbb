//! A whole broker in process, for programs and tests.
