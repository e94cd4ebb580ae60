//! How values that are written as text describe themselves to OpenAPI.

/// Describes a type as a string, with what the given function adds.
macro_rules! text {
    ($name:ident, |$text:ident| $more:expr) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let $text = utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String);
                $more.into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

pub(crate) use text;
