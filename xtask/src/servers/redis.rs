//! Redis, in memory alone.

use super::place::{Place, answers, free_port};
use super::{Server, Variables};
use crate::Result;

pub(super) const SERVER: Server = Server {
    name: "redis",
    needed_by: "storage-redis",
    programs: &[("redis-server", "redis-server")],
    python: &[],
    start,
};

fn start(place: &Place) -> Result<Variables> {
    let port = free_port()?;
    let number = port.to_string();
    let address = ["--bind", "127.0.0.1", "--port", &number];
    let storage = ["--save", "", "--appendonly", "no"];
    place.spawn("redis-server", &[address, storage].concat())?;
    place.wait("an answer", || answers(port, "PING\r\n", "+PONG"))?;
    let url = format!("redis://127.0.0.1:{port}/0");
    Ok(vec![("OMNISTORAGE_TEST_REDIS", url)])
}
