//! Ceph's S3 gateway over a cluster of one machine: a monitor, a store in memory, the gateway.

use super::place::{Place, answers_http, free_port};
use super::{Server, Variables};
use crate::Result;

pub(super) const SERVER: Server = Server {
    name: "rgw",
    needed_by: "storage-s3",
    programs: &[
        ("radosgw", "radosgw"),
        ("ceph-mon", "ceph-mon"),
        ("ceph-osd", "ceph-osd"),
        ("ceph", "ceph-common"),
    ],
    python: &[],
    start,
};

const CLUSTER: &str = "6a1c1c5e-0c1f-4b52-9d8b-2f1f4d0d7d11";
const STORE: &str = "2ef89d2d-29d6-4ef8-a5b7-7d76faa0e4c4";

fn start(place: &Place) -> Result<Variables> {
    let (monitor, gateway) = (free_port()?, free_port()?);
    let file = place.write("ceph.conf", &configuration(place, monitor, gateway)?)?;
    start_monitor(place, &file, monitor)?;
    start_store(place, &file)?;
    create_user(place, &file)?;
    place.spawn("radosgw", &["-c", &file, "-n", "client.rgw", "-f"])?;
    place.wait("an answer", || answers_http(gateway))?;
    let url = format!("http://127.0.0.1:{gateway}");
    Ok(vec![("OMNISTORAGE_TEST_RGW", url)])
}

fn start_monitor(place: &Place, file: &str, port: u16) -> Result {
    let (map, keys) = (place.text("monmap"), place.write("keyring", "")?);
    let address = format!("[v1:127.0.0.1:{port}]");
    let create = ["--create", "--fsid", CLUSTER, "--addv", "a", &address, &map];
    place.run("monmaptool", &create)?;
    let own = ["-c", file, "-i", "a"];
    let format = ["--mkfs", "--monmap", &map, "--keyring", &keys];
    place.run("ceph-mon", &[&own[..], &format].concat())?;
    place.spawn("ceph-mon", &[&own[..], &["-f"]].concat())
}

fn start_store(place: &Place, file: &str) -> Result {
    let ceph = |words: &[&str]| {
        let patience = ["-c", file, "--connect-timeout", "60"];
        place.run("ceph", &[&patience[..], words].concat())
    };
    ceph(&["osd", "new", STORE])?;
    let own = ["-c", file, "-i", "0"];
    let format = ["--mkfs", "--osd-uuid", STORE];
    place.run("ceph-osd", &[&own[..], &format].concat())?;
    place.spawn("ceph-osd", &[&own[..], &["-f"]].concat())?;
    let place_it = ["osd", "crush", "add", "osd.0", "1.0", "root=default"];
    ceph(&[&place_it[..], &["host=localhost"]].concat())?;
    let up = || ceph(&["osd", "stat"]).is_ok_and(|text| text.contains("1 up"));
    place.wait("the store being up", up)
}

fn create_user(place: &Place, file: &str) -> Result {
    let user = "user create --uid omnistorage --display-name omnistorage \
                --access-key omnistorage --secret omnistorage-secret";
    let words: Vec<_> = ["-c", file].into_iter().chain(user.split(' ')).collect();
    place.run("radosgw-admin", &words)?;
    Ok(())
}

fn configuration(place: &Place, monitor: u16, gateway: u16) -> Result<String> {
    let folders = ["mon", "osd", "rgw", "mgr", "crash"];
    let [mon, osd, rgw, mgr, crash] = folders.map(|name| place.folder(name));
    let paths = format!(
        "mon_data = {}\nosd_data = {}\nrgw_data = {}\nmgr_data = {}\ncrash_dir = {}\n",
        mon?, osd?, rgw?, mgr?, crash?
    );
    let own = format!(
        "fsid = {CLUSTER}\nmon_host = [v1:127.0.0.1:{monitor}]\nrun_dir = {}\nkeyring = {}\n",
        place.path().display(),
        place.text("keyring"),
    );
    // Without tcp_nodelay every GET takes 40 ms.
    let frontend = format!("rgw_frontends = beast endpoint=127.0.0.1:{gateway} tcp_nodelay=1\n");
    let logs = format!("log_file = {}\n", place.text("$name.log"));
    Ok(["[global]\n", &own, &paths, &logs, &frontend, FIXED].concat())
}

/// No authentication within the cluster; everything once, in memory; objects that were replaced are
/// collected at once; a disk that is nearly full, which holds logs alone, stops nothing.
const FIXED: &str = "\
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
ms_bind_msgr2 = false
admin_socket =
pid_file =
osd_objectstore = memstore
memstore_device_bytes = 8589934592
osd_class_update_on_start = false
osd_crush_update_on_start = false
osd_crush_chooseleaf_type = 0
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
mon_data_avail_warn = 1
mon_data_avail_crit = 1
rgw_gc_obj_min_wait = 1
rgw_gc_processor_period = 2
";
