//! The server goes away and comes back while conversations are held.

use std::time::Duration;

use super::server::{Server, Stop};
use super::stage::Stage;
use super::traffic::Traffic;

async fn under_load(stop: impl Fn(&mut Server)) {
    let mut server = Server::start("");
    let stage = Stage::on(server.config()).await;
    let bots = [stage.bot().await, stage.bot().await];
    let traffic = Traffic::begin(&stage, &bots, 8);
    for _ in 0..3 {
        traffic.goes_on(20).await;
        stop(&mut server);
        tokio::time::sleep(Duration::from_millis(200)).await;
        server.start_again();
    }
    traffic.goes_on(20).await;
    traffic.end().await;
    stage.prove().await;
}

pub(crate) async fn a_restart_under_load_loses_and_doubles_nothing() {
    under_load(|server| server.stop(Stop::Fast)).await;
}

pub(crate) async fn an_immediate_stop_under_load_loses_and_doubles_nothing() {
    under_load(|server| server.stop(Stop::Immediate)).await;
}

pub(crate) async fn a_killed_server_under_load_loses_and_doubles_nothing() {
    under_load(Server::kill).await;
}
