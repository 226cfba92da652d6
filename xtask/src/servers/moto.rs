//! moto: Amazon S3 imitated in Python, any key and any signature accepted.

use super::place::{Place, answers_http, free_port};
use super::{Server, Variables};
use crate::Result;

pub(super) const SERVER: Server = Server {
    name: "moto",
    needed_by: "storage-s3",
    programs: &[("python3", "python3-venv")],
    // Its extra `server` has the packages of all services; these are those of S3.
    python: &["moto[s3]==5.2.5", "flask", "flask-cors"],
    start,
};

fn start(place: &Place) -> Result<Variables> {
    let port = free_port()?;
    place.spawn("moto_server", &["-H", "127.0.0.1", "-p", &port.to_string()])?;
    place.wait("an answer", || answers_http(port))?;
    let url = format!("http://127.0.0.1:{port}");
    Ok(vec![("OMNISTORAGE_TEST_MOTO", url)])
}
