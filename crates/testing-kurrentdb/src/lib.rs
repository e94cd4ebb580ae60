//! A double of KurrentDB for tests.
