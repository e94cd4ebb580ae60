//! The OpenAPI document: collected from the routes, completed with what all of them share.

use actix_web::App as WebApp;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, OpenApi, PathItem, Ref, RefOr, Required,
    ResponseBuilder, SecurityRequirement, Tag,
};
use utoipa::{PartialSchema as _, ToSchema as _};
use utoipa_actix_web::AppExt as _;

use crate::problem::ProblemBody;
use crate::routes;

/// What the document says of the whole.
const DESCRIPTION: &str = "Event-sourced case management for open-source investigations. \
Every write answers with a receipt; every read takes `as_of` and answers with the moment it is of. \
Errors are problem details (RFC 9457) with a stable `code`.";

/// The problems any operation may answer with.
const COMMON: [(&str, &str); 5] = [
    ("400", "The request is not well-formed."),
    ("401", "A valid access token is needed."),
    ("429", "Too many requests; see `Retry-After`."),
    ("500", "A fault of ours."),
    ("503", "Not now; see `Retry-After`."),
];
/// The problems of what stands in a case or in the house.
const OF_THINGS: [(&str, &str); 2] =
    [("403", "Seen, but not with the caller's roles."), ("404", "Nothing there, or out of sight.")];
/// The problems of a write.
const OF_WRITES: [(&str, &str); 6] = [
    ("408", "The body did not arrive in time."),
    ("409", "The state of things does not allow it now."),
    ("412", "It changed since the revision the caller saw; `since` says how."),
    ("413", "The body is too large."),
    ("422", "Well-formed, but refused by a rule; `errors` says which field."),
    ("507", "No room to record it."),
];

/// The whole document.
pub fn document() -> OpenApi {
    let (_, mut document) =
        WebApp::new().into_utoipa_app().configure(routes::all).split_for_parts();
    document.info = InfoBuilder::new()
        .title("Assay")
        .version("1")
        .description(Some(DESCRIPTION))
        .license(Some(utoipa::openapi::License::new("Apache-2.0 OR MIT")))
        .build();
    document.security = Some(vec![SecurityRequirement::new("token", Vec::<String>::new())]);
    let components = document.components.get_or_insert_with(Components::new);
    components.schemas.insert("Problem".to_owned(), ProblemBody::schema());
    let mut more = Vec::new();
    ProblemBody::schemas(&mut more);
    components.schemas.extend(more);
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            complete(path, method, operation);
        }
    }
    document.tags = Some(tags(&document));
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem { get, post, put, delete, .. } = item;
    let all = [("get", get), ("post", post), ("put", put), ("delete", delete)];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Adds what all operations of a kind share.
fn complete(path: &str, method: &str, operation: &mut Operation) {
    let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
    let name = operation.operation_id.take().unwrap_or_default();
    operation.operation_id = Some(format!("{}_{name}", tag.replace('-', "_")));
    if operation.description.as_ref().is_none_or(String::is_empty) {
        operation.description.clone_from(&operation.summary);
    }
    let open = operation.security.is_some();
    let own = path.starts_with("/api/v1/me") || path == "/api/v1/logout";
    let own = own && path != "/api/v1/me/reads";
    // The ledger is one for ever and has no past of its own; the files of it are told as they are.
    let ledger = path.starts_with("/ledger/") || path.starts_with("/api/v1/ledger/");
    let file = path.starts_with("/api/v1/imports") || path.ends_with("/bundles");
    let job = ledger || file;
    let things = !open && !own;
    let parameters = operation.parameters.get_or_insert_default();
    let named = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    parameters.extend(named.map(place).map(RefOr::T));
    match method {
        "get" if things && !job => parameters.extend(of_reads(path).into_iter().map(RefOr::T)),
        "get" => (),
        _ if things && !job => parameters.extend(of_writes().map(RefOr::T)),
        _ => (),
    }
    for (status, words) in COMMON {
        if !(open && status == "401" && method == "get") {
            problem(operation, status, words);
        }
    }
    if things {
        problems(operation, &OF_THINGS);
    }
    if method != "get" {
        problems(operation, &OF_WRITES);
    }
    if operation.request_body.is_some() {
        problem(operation, "415", "The body is not `application/json` in UTF-8.");
    }
}

/// A part of the path.
fn place(name: &str) -> Parameter {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let schema = match name {
        "role" | "flag" | "path" => text,
        "position" | "size" => ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)),
        "level" => ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)),
        _ => text.format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))),
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(format!("Which {name}.")))
        .schema(Some(schema))
        .build()
}

fn of_reads(path: &str) -> Vec<Parameter> {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let mut parameters = vec![
        parameter(
            "as_of",
            ParameterIn::Query,
            "As of this position, or this RFC 3339 instant.",
            text(),
        ),
        parameter(
            "after",
            ParameterIn::Query,
            "The token of a receipt: waits until it is shown, 2 s at most.",
            text(),
        ),
    ];
    parameters.push(parameter(
        "Assay-Purpose",
        ParameterIn::Header,
        "To what end it is read: recorded, and demanded by some cases; 3–500 characters, one line.",
        text().min_length(Some(3)).max_length(Some(500)),
    ));
    let stream = path.ends_with("/changes");
    if !stream {
        parameters.push(parameter(
            "Assay-After",
            ParameterIn::Header,
            "The same as `after`.",
            text(),
        ));
        parameters.push(parameter(
            "If-None-Match",
            ParameterIn::Header,
            "The `ETag` the caller knows; 304 where it is still so.",
            text(),
        ));
    }
    parameters
}

fn of_writes() -> [Parameter; 2] {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    [
        parameter(
            "If-Match",
            ParameterIn::Header,
            "The `ETag` the caller saw; 412 where it changed since.",
            text(),
        ),
        parameter(
            "Idempotency-Key",
            ParameterIn::Header,
            "Names the request, 1–200 visible ASCII characters; the same again answers the same.",
            text().max_length(Some(200)),
        ),
    ]
}

fn parameter(name: &str, place: ParameterIn, words: &str, schema: ObjectBuilder) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(Required::False)
        .description(Some(words))
        .schema(Some(schema))
        .build()
}

fn problems(operation: &mut Operation, all: &[(&str, &str)]) {
    for (status, words) in all {
        problem(operation, status, words);
    }
}

fn problem(operation: &mut Operation, status: &str, words: &str) {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response = ResponseBuilder::new()
        .description(words)
        .content("application/problem+json", content)
        .build();
    let responses = &mut operation.responses.responses;
    responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(response));
}

/// The tags that are used, in the order they appear.
fn tags(document: &OpenApi) -> Vec<Tag> {
    let mut names: Vec<String> = Vec::new();
    for item in document.paths.paths.values() {
        let operations = [&item.get, &item.post, &item.put, &item.delete];
        for tag in operations.into_iter().flatten().flat_map(|one| one.tags.iter().flatten()) {
            if !names.contains(tag) {
                names.push(tag.clone());
            }
        }
    }
    names.into_iter().map(Tag::new).collect()
}
