//! Chores of the workspace.
