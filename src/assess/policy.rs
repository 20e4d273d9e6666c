//! Target profiles: where a container is to run, and what of a machine's habits that place refuses.

use crate::rule::catalogue::{self, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the workload is to run.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    RootlessPodman,
    Docker,
    KubernetesRestricted,
    KubernetesBaseline,
    /// Fargate, Cloud Run: no privileges, no devices, volumes only from the provider.
    Serverless,
    /// LXC, Incus: a whole user space on the host's kernel.
    SystemContainer,
    /// A virtual machine under Kubernetes.
    Kubevirt,
}

impl Target {
    pub const ALL: [Self; 7] = [
        Self::RootlessPodman,
        Self::Docker,
        Self::KubernetesRestricted,
        Self::KubernetesBaseline,
        Self::Serverless,
        Self::SystemContainer,
        Self::Kubevirt,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::RootlessPodman => "rootless-podman",
            Self::Docker => "docker",
            Self::KubernetesRestricted => "kubernetes-restricted",
            Self::KubernetesBaseline => "kubernetes-baseline",
            Self::Serverless => "serverless",
            Self::SystemContainer => "system-container",
            Self::Kubevirt => "kubevirt",
        }
    }

    /// How many times a rule's points count here: a restricted platform refuses what Docker grants on request.
    pub fn factor(self, rule: &str) -> u32 {
        let privilege = matches!(
            rule,
            "security/needs-capability"
                | "device/special-node"
                | "kernel/namespaced-sysctl"
                | "process/realtime"
                | "network/raw-or-multicast"
        );
        let root = rule == "security/runs-as-root";
        let state = matches!(rule, "storage/persistent-state" | "storage/network-mount");
        match self {
            Self::KubernetesRestricted if root => 10,
            Self::Serverless if state => 10,
            Self::KubernetesRestricted | Self::Serverless if privilege => 4,
            Self::KubernetesBaseline | Self::RootlessPodman if privilege => 2,
            _ => 1,
        }
    }
}

impl Target {
    /// What a rule subtracts here.
    pub fn points(self, rule: &Rule) -> u32 {
        if rule.fine.iter().any(|fine| fine == self.name()) {
            return 0;
        }
        rule.points
            .unwrap_or_else(|| catalogue::scale().points(rule.severity))
    }
}
