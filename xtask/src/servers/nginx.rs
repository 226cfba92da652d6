//! nginx, serving a folder: ranges, strong entity tags, listings as JSON.

use super::place::{Place, answers_http, free_port};
use super::{Server, Variables};
use crate::Result;

pub(super) const SERVER: Server = Server {
    name: "nginx",
    needed_by: "storage-http",
    programs: &[("nginx", "nginx-light")],
    python: &[],
    start,
};

fn start(place: &Place) -> Result<Variables> {
    let port = free_port()?;
    let root = place.folder("root")?;
    let file = place.write("nginx.conf", &configuration(place, port)?)?;
    let log = place.text("error.log");
    place.spawn("nginx", &["-c", &file, "-e", &log])?;
    place.wait("an answer", || answers_http(port))?;
    let url = format!("http://127.0.0.1:{port}/");
    Ok(vec![
        ("OMNISTORAGE_TEST_NGINX", url),
        ("OMNISTORAGE_TEST_NGINX_ROOT", root),
    ])
}

/// One process, so that it may read what tests write as whoever they are.
fn configuration(place: &Place, port: u16) -> Result<String> {
    let text = |name| place.text(name);
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let mut paths = String::new();
    for name in temporary {
        paths += &format!("    {name}_temp_path \"{}\";\n", place.folder(name)?);
    }
    Ok(format!(
        "daemon off;
master_process off;
pid \"{pid}\";
events {{ worker_connections 512; }}
http {{
    access_log off;
    default_type application/octet-stream;
{paths}    server {{
        listen 127.0.0.1:{port};
        root \"{root}\";
        index no-index;
        location / {{
            autoindex on;
            autoindex_format json;
        }}
    }}
}}
",
        pid = text("nginx.pid"),
        root = text("root"),
    ))
}
