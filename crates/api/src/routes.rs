//! What there is: every route once, in the order of the document.

use actix_web::dev::ResourceDef;
use actix_web::http::Method;
use actix_web::web::{Data, PathConfig};
use actix_web::{HttpRequest, HttpResponse};
use utoipa_actix_web::scope;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::ledger::files;
use crate::problem::Problem;
use crate::reading::answers as read_log;
use crate::reads::{
    cases as see_cases, changes, claims as see_claims, exports, history, links as see_links,
    people, reports as see_reports, search,
};
use crate::{
    audit, bundles, cases, claims, erasures, findings, health, imports, ledger, links, login, me,
    replays, reports, sources, users, verdicts,
};

/// Every route of the API.
pub(crate) fn all(config: &mut ServiceConfig<'_>) {
    config.service(login::jwks).service(health::live).service(health::ready);
    config.service(files::checkpoint).service(files::entries).service(files::hashes);
    config.service(scope("/api/v1").configure(v1));
}

fn v1(config: &mut ServiceConfig<'_>) {
    config.configure(accounts).configure(in_cases).configure(on_claims).configure(overall);
    config.configure(auditing).configure(decided_by_two).configure(in_the_ledger);
}

fn accounts(config: &mut ServiceConfig<'_>) {
    config
        .service(login::login)
        .service(login::refresh)
        .service(login::logout)
        .service(login::password_by_code)
        .service(me::me)
        .service(me::sessions)
        .service(me::end_session)
        .service(me::change_password)
        .service(read_log::mine)
        .service(people::user_list)
        .service(users::register)
        .service(people::one_user)
        .service(users::grant_role)
        .service(users::revoke_role)
        .service(users::clear)
        .service(users::suspend)
        .service(users::reinstate)
        .service(users::password_code)
        .service(people::source_list)
        .service(sources::register)
        .service(people::one_source)
        .service(sources::add_name)
        .service(sources::drop_name)
        .service(sources::raise_flag)
        .service(sources::drop_flag);
}

fn in_cases(config: &mut ServiceConfig<'_>) {
    config
        .service(see_cases::list)
        .service(cases::open)
        .service(see_cases::one)
        .service(see_cases::overview)
        .service(cases::retitle)
        .service(see_cases::member_list)
        .service(cases::add_member)
        .service(cases::remove_member)
        .service(cases::mark)
        .service(cases::demand_purpose)
        .service(cases::waive_purpose)
        .service(cases::close)
        .service(cases::reopen)
        .service(see_cases::difference)
        .service(history::of_case)
        .service(changes::changes)
        .service(exports::as_stix)
        .service(see_reports::list)
        .service(reports::file)
        .service(see_reports::one)
        .service(reports::add_rendition)
        .service(see_reports::one_rendition)
        .service(see_reports::verbatim)
        .service(see_reports::covered)
        .service(see_reports::difference)
        .service(history::of_report)
        .service(reports::infer)
        .service(reports::correct)
        .service(reports::mark_no_claim)
        .service(reports::withdraw);
}

fn on_claims(config: &mut ServiceConfig<'_>) {
    config
        .service(see_claims::list)
        .service(claims::propose)
        .service(see_claims::one)
        .service(claims::refine)
        .service(see_claims::assertions)
        .service(claims::assert)
        .service(claims::reattribute)
        .service(claims::withdraw_assertion)
        .service(claims::assess_reliability)
        .service(claims::assess_credibility)
        .service(verdicts::request)
        .service(verdicts::give_back)
        .service(see_claims::verdicts)
        .service(verdicts::issue)
        .service(verdicts::dissent)
        .service(claims::withdraw)
        .service(claims::reinstate)
        .service(see_claims::difference)
        .service(exports::as_claim_review)
        .service(history::of_claim);
}

fn overall(config: &mut ServiceConfig<'_>) {
    config
        .service(see_links::list)
        .service(links::propose)
        .service(see_links::one)
        .service(links::confirm)
        .service(links::reject)
        .service(links::withdraw)
        .service(see_links::register)
        .service(see_claims::review_queue)
        .service(search::find)
        .service(history::entries)
        .service(history::entry)
        .service(read_log::all)
        .configure(imports::configure);
}

fn auditing(config: &mut ServiceConfig<'_>) {
    config
        .service(audit::steps::list)
        .service(audit::steps::one)
        .service(audit::state::of_case)
        .service(audit::access::who)
        .service(audit::diff::of_query)
        .service(audit::anchors::status)
        .service(findings::list)
        .service(findings::record)
        .service(findings::one)
        .service(findings::answer)
        .service(findings::close)
        .service(findings::reopen)
        .service(replays::list)
        .service(replays::save)
        .service(replays::one)
        .service(replays::goto)
        .service(replays::drop_it);
}

fn decided_by_two(config: &mut ServiceConfig<'_>) {
    config
        .service(erasures::list)
        .service(erasures::request)
        .service(erasures::one)
        .service(erasures::restrict)
        .service(erasures::lift)
        .service(erasures::refuse)
        .service(erasures::carry_out)
        .service(audit::adoptions::list)
        .service(audit::adoptions::one);
}

fn in_the_ledger(config: &mut ServiceConfig<'_>) {
    config
        .service(ledger::keys)
        .service(ledger::checkpoints)
        .service(ledger::of_size)
        .service(ledger::proof)
        .service(ledger::consistency)
        .service(bundles::leave);
}

/// The methods of every path, for saying which ones a resource takes.
pub(crate) struct Known(Vec<(ResourceDef, Vec<Method>)>);

impl Known {
    /// Of a document.
    pub(crate) fn of(document: &utoipa::openapi::OpenApi) -> Self {
        let paths = document.paths.paths.iter();
        Self(paths.map(|(path, item)| (ResourceDef::new(path.as_str()), methods(item))).collect())
    }

    fn allowed(&self, path: &str) -> String {
        let matching = self.0.iter().filter(|(resource, _)| resource.is_match(path));
        let methods: Vec<&str> =
            matching.flat_map(|(_, methods)| methods.iter().map(Method::as_str)).collect();
        methods.join(", ")
    }
}

fn methods(item: &utoipa::openapi::PathItem) -> Vec<Method> {
    let present = [
        (item.get.is_some(), Method::GET),
        (item.post.is_some(), Method::POST),
        (item.put.is_some(), Method::PUT),
        (item.delete.is_some(), Method::DELETE),
    ];
    present.into_iter().filter(|(there, _)| *there).map(|(_, method)| method).collect()
}

/// Where nothing answers: another method of something that is there, or nothing at all.
pub(crate) async fn nothing(req: HttpRequest, known: Data<Known>) -> Result<HttpResponse, Problem> {
    let allowed = known.allowed(req.path());
    Err(if allowed.is_empty() { Problem::unseen() } else { Problem::method(allowed) })
}

/// An id that is none names nothing.
pub(crate) fn places() -> PathConfig {
    PathConfig::default().error_handler(|_, _| Problem::unseen().into())
}
