//! Assay: the program. Reads the command line and the settings, and hands over to one module a subcommand.

mod accounts;
mod bundle;
mod check;
mod cli;
mod clock;
mod configure;
mod data_dir;
mod demo;
mod dump;
mod exit;
mod forgetting;
mod import;
mod init;
mod keys;
mod ledger;
mod log_keys;
mod logging;
mod moving;
mod nodes;
mod notary;
mod open;
mod progress;
mod project;
mod rebuild;
mod replay;
mod serve;
mod settings;
mod show;
mod trust;
mod upstream;
mod user;
mod verify;
mod viewing;
mod words;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command, EventLogAct, ViewsAct};
use crate::configure::{Configured, configure};
use crate::exit::Exit;
use crate::settings::LogFormat;

fn main() -> ExitCode {
    let cli = Cli::parse();
    exit::code(run(cli))
}

fn run(cli: Cli) -> anyhow::Result<Exit> {
    if matches!(cli.command, Command::Version) {
        return show::version();
    }
    let mut given = cli.global.given();
    match &cli.command {
        Command::Serve(serve) => given.extend(serve.given()),
        Command::Demo(demo) => given.extend(demo.listening.given()),
        _ => (),
    }
    let mut configured = configure(cli.global.config.as_deref(), std::env::vars(), given)?;
    if !matches!(cli.command, Command::Serve(_) | Command::Config) {
        quiet(&mut configured);
    }
    actix_web::rt::System::new().block_on(hand_over(cli, configured))
}

/// At the console only warnings are logged, as text, unless somebody set it otherwise.
fn quiet(configured: &mut Configured) {
    let set = |key: &str| configured.origins.contains_key(key);
    let (level, format) = (set("log.level"), set("log.format"));
    if !level {
        "warn".clone_into(&mut configured.settings.log.level);
    }
    if !format {
        configured.settings.log.format = LogFormat::Text;
    }
}

async fn hand_over(cli: Cli, configured: Configured) -> anyhow::Result<Exit> {
    let settings = &configured.settings;
    if !matches!(cli.command, Command::Config | Command::Version) {
        logging::start(&settings.log)?;
    }
    match cli.command {
        Command::Serve(_) => serve::run(settings).await,
        Command::Init(asked) => init::run(settings, &asked).await,
        Command::Demo(asked) => {
            let named = configured.origins.contains_key("data_dir");
            let settings = demo::settings(settings, named);
            demo::prepare(&settings).await?;
            if asked.serve { serve::run(&settings).await } else { Ok(Exit::Holds) }
        }
        Command::User(asked) => user::run(settings, asked.act).await,
        Command::Rebuild(asked) => rebuild::run(settings, &asked).await,
        Command::Replay(asked) => replay::run(settings, &asked).await,
        Command::Check(asked) => check::run(settings, &asked).await,
        Command::Verify(asked) => verify::run(&asked),
        Command::Bundle(asked) => bundle::run(settings, asked.act).await,
        Command::Ledger(asked) => ledger::run(settings, asked.act).await,
        Command::Views(asked) => {
            let ViewsAct::Dump { as_of, .. } = asked.act;
            dump::run(settings, as_of.as_deref()).await
        }
        Command::Import(asked) => import::run(settings, &asked).await,
        Command::Log(asked) => match asked.act {
            EventLogAct::Copy(asked) => moving::copy(settings, &asked).await,
        },
        Command::Backup(asked) => moving::backup(settings, &asked).await,
        Command::Restore(asked) => moving::restore(settings, &asked).await,
        Command::Nodes(asked) => nodes::list(settings, &asked).await,
        Command::Config => show::config(&configured),
        Command::Version => show::version(),
    }
}
