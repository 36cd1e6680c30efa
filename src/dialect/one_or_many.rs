//! Fields that may hold one thing or a list of them.
