//! The door: what a request must look like before anything is asked of the house.

pub(crate) mod act;
pub(crate) mod body;
pub(crate) mod headers;
pub(crate) mod query;
pub(crate) mod shape;

use actix_web::web::Path;

pub(crate) use act::{Act, Asking};
pub(crate) use body::Body;

/// The ids in a path. (Named apart from the framework's, so that the document describes them once.)
pub(crate) type Place<T> = Path<T>;
