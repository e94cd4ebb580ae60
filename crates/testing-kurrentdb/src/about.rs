//! What a node says of itself and of its cluster: its version, and gossip.

use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::answers::{Ids, wire_id};
use crate::records::{now_ticks, parts_of};
use crate::streams::Service;
use crate::wire::event_store::client::gossip::gossip_server::Gossip;
use crate::wire::event_store::client::gossip::member_info::VNodeState;
use crate::wire::event_store::client::gossip::{ClusterInfo, EndPoint, MemberInfo};
use crate::wire::event_store::client::server_features::server_features_server::ServerFeatures;
use crate::wire::event_store::client::server_features::{SupportedMethod, SupportedMethods};

/// The version that the double says it is.
const VERSION: &str = "26.0.0";

#[tonic::async_trait]
impl ServerFeatures for Service {
    async fn get_supported_methods(
        &self,
        _: Request<()>,
    ) -> Result<Response<SupportedMethods>, Status> {
        self.shared.faults.wait().await;
        let method = |name: &str| SupportedMethod {
            method_name: name.to_owned(),
            service_name: "event_store.client.streams.streams".to_owned(),
            features: vec![],
        };
        Ok(Response::new(SupportedMethods {
            methods: vec![method("read"), method("append")],
            event_store_server_version: VERSION.to_owned(),
        }))
    }
}

#[tonic::async_trait]
impl Gossip for Service {
    async fn read(&self, _: Request<()>) -> Result<Response<ClusterInfo>, Status> {
        self.shared.faults.wait().await;
        let (time_stamp, _) = parts_of(now_ticks());
        let members = (1_u128..).zip(self.shared.members().list()).map(|(number, member)| {
            let state = match (member.alive, member.leads) {
                (false, _) => VNodeState::Shutdown,
                (true, true) => VNodeState::Leader,
                (true, false) => VNodeState::Follower,
            };
            let at = EndPoint { address: "127.0.0.1".to_owned(), port: member.port.into() };
            MemberInfo {
                instance_id: Some(wire_id(Uuid::from_u128(number), Ids::Text)),
                time_stamp,
                state: state.into(),
                is_alive: member.alive,
                http_end_point: Some(at),
            }
        });
        Ok(Response::new(ClusterInfo { members: members.collect() }))
    }
}
