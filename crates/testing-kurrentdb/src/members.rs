//! Who is in the cluster, who is alive and who leads: as the test says, without votes.

/// The nodes of a cluster. One leads, unless the one appointed is down.
pub(crate) struct Members {
    nodes: Vec<Member>,
    appointed: usize,
}

/// A node.
#[derive(Clone, Copy)]
pub(crate) struct Member {
    pub(crate) port: u16,
    pub(crate) alive: bool,
    pub(crate) leads: bool,
}

impl Members {
    /// Nodes at these ports, none alive yet; the first is appointed.
    pub(crate) fn new(ports: &[u16]) -> Self {
        let nodes =
            ports.iter().map(|port| Member { port: *port, alive: false, leads: false }).collect();
        Self { nodes, appointed: 0 }
    }

    pub(crate) fn set_alive(&mut self, node: usize, alive: bool) {
        if let Some(member) = self.nodes.get_mut(node) {
            member.alive = alive;
        }
    }

    pub(crate) fn appoint(&mut self, node: usize) {
        self.appointed = node;
    }

    /// The node that leads, and its port.
    pub(crate) fn leader(&self) -> Option<(usize, u16)> {
        let member = self.nodes.get(self.appointed).filter(|member| member.alive)?;
        Some((self.appointed, member.port))
    }

    /// All nodes as gossip tells of them.
    pub(crate) fn list(&self) -> Vec<Member> {
        let leader = self.leader().map(|(node, _)| node);
        let told =
            |(node, member): (usize, &Member)| Member { leads: leader == Some(node), ..*member };
        self.nodes.iter().enumerate().map(told).collect()
    }
}
