//! Certificates for one server: an authority of its own, and a certificate for this machine.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::home::Home;
use crate::programs::Programs;

/// Where the files of a server with TLS are.
#[derive(Debug)]
pub(crate) struct Certificates {
    /// The authority's certificate, PEM: what a client must trust.
    pub(crate) roots: PathBuf,
    /// The server's certificate, PEM.
    pub(crate) certificate: PathBuf,
    /// The server's key, PEM, for its user's eyes only.
    pub(crate) key: PathBuf,
}

/// Valid for both names of this machine by which a test may connect.
const EXTENSIONS: &str = "basicConstraints=critical,CA:FALSE\n\
    keyUsage=critical,digitalSignature\n\
    extendedKeyUsage=serverAuth\n\
    subjectAltName=IP:127.0.0.1,DNS:localhost\n";

/// Makes an authority and a server's certificate in the home, with the `openssl` program.
pub(crate) fn make(home: &Home) -> Result<Certificates> {
    fs::write(home.path().join("extensions"), EXTENSIONS).context("write the extensions")?;
    Programs::find()?.give(&home.path().join("extensions"))?;
    openssl(
        home,
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
         -keyout authority.key -out authority.pem -subj /CN=assay-test-authority \
         -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign",
    )?;
    openssl(
        home,
        "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
         -keyout server.key -out server.csr -subj /CN=localhost",
    )?;
    openssl(
        home,
        "x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial \
         -days 30 -extfile extensions -out server.pem",
    )?;
    let file = |name: &str| home.path().join(name);
    Ok(Certificates {
        roots: file("authority.pem"),
        certificate: file("server.pem"),
        key: file("server.key"),
    })
}

/// `openssl` writes keys with mode 0600, as the server's user.
fn openssl(home: &Home, args: &str) -> Result<()> {
    let args: Vec<&str> = args.split_whitespace().collect();
    Programs::find()?
        .run_program(home.path(), Path::new("openssl"), &args)
        .context("make certificates (without the program: apt-get install openssl)")?;
    Ok(())
}
