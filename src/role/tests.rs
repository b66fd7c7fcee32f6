use super::*;
use crate::report::Hint;
use crate::source::Layout;

/// Of the passwords: what a compute node takes from Train to Wallaby.
const COMPUTE: &str = "AdminPassword CephClientKey CephClusterFSID CinderPassword LibvirtTLSPassword MigrationSshKey \
     NeutronMetadataProxySharedSecret NeutronPassword NovaPassword PlacementPassword SnmpdReadonlyUserPassword";
/// What is no password: certificates of others, and what is sealed for what is in it.
const BESIDE: [&str; 3] = ["CAMap", "CephExternalMultiConfig", "GlobalConfigExtraMapData"];

fn passwords(release: &str, role: &str) -> String {
    let needs = needs(Some(release), role).unwrap();
    needs.parameters().filter(|name| !BESIDE.contains(name)).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_compute_node_takes_eleven_passwords_from_train_to_wallaby() {
    for release in ["train", "ussuri", "victoria", "wallaby"] {
        for role in ["Compute", "DistributedCompute", "DistributedComputeHCI"] {
            assert_eq!(passwords(release, role), COMPUTE, "{role} in {release}");
        }
    }
}

#[test]
fn in_stein_it_takes_thirteen_since_telemetry_is_on_and_the_bus_has_a_parameter() {
    assert_eq!(
        passwords("stein", "DistributedComputeHCI"),
        "CeilometerMeteringSecret CeilometerPassword CephClientKey CephClusterFSID CinderPassword LibvirtTLSPassword \
         MigrationSshKey NeutronMetadataProxySharedSecret NeutronPassword NovaPassword RedisPassword RpcPassword \
         SnmpdReadonlyUserPassword"
    );
}

#[test]
fn in_zed_neither_snmp_nor_the_administrators_password_is_among_them() {
    let fewer = COMPUTE.replace("AdminPassword ", "").replace(" SnmpdReadonlyUserPassword", "");
    assert_eq!(passwords("zed", "DistributedCompute"), fewer);
}

#[test]
fn a_site_with_storage_of_its_own_takes_what_its_environment_files_turn_on() {
    let all: BTreeSet<&str> = COMPUTE
        .split(' ')
        .chain([
            "CephDashboardAdminPassword",
            "CephGrafanaAdminPassword",
            "CephManilaClientKey",
            "CephRgwKey",
        ])
        .chain(["EtcdInitialClusterToken", "GlancePassword", "SwiftPassword"])
        .collect();
    for role in [
        "DistributedComputeHCI + dcn-storage + ceph-ansible/ceph-ansible",
        "DistributedComputeHCI+environments/dcn-hci.yaml+environments/ceph-ansible/ceph-ansible.yaml",
    ] {
        let taken = passwords("train", role);
        assert_eq!(taken.split(' ').collect::<BTreeSet<_>>(), all, "{role}");
    }
}

#[test]
fn the_message_buss_password_goes_to_those_who_speak_on_it() {
    for release in ["stein", "train", "zed"] {
        let takes = |role| needs(Some(release), role).unwrap().takes("GlobalConfigExtraMapData");
        assert!(takes("Compute") && takes("BlockStorage") && takes("CellController"), "{release}");
        assert!(!takes("CephStorage") && !takes("ObjectStorage") && !takes("Database"), "{release}");
    }
    // An agent of neutron's: of a role that otherwise has none
    assert!(!needs(Some("train"), "Networker").unwrap().takes("GlobalConfigExtraMapData"));
    let with_agents = needs(Some("train"), "Networker + services/neutron-ovs").unwrap();
    assert!(with_agents.takes("GlobalConfigExtraMapData"));
}

#[test]
fn other_clusters_go_to_cephs_clients_once_the_release_knows_them() {
    for (release, role, expected) in [
        ("train", "DistributedCompute", true),
        ("train", "CephStorage", false),
        ("train", "Networker", false),
        ("stein", "DistributedCompute", false),
    ] {
        let needs = needs(Some(release), role).unwrap();
        assert_eq!(needs.takes("CephExternalMultiConfig"), expected, "{role} in {release}");
    }
}

#[test]
fn what_every_deployment_needs_is_everyones_and_what_no_table_knows_is_nobodys() {
    let needs = needs(Some("wallaby"), "CephStorage").unwrap();
    for name in ["EndpointMapOverride", "AllNodesExtraMapData", "ExtraHostFileEntries"] {
        assert!(needs.takes(name), "{name}");
    }
    for name in ["NovaPassword", "SSLKey", "MyVendorPassword", "novapassword", ""] {
        assert!(!needs.takes(name), "{name}");
    }
}

#[test]
fn no_site_of_compute_nodes_takes_the_keys_of_the_centre() {
    for release in &RELEASES {
        for role in release.table().roles().filter(|role| role.contains("Compute")) {
            let needs = needs(Some(release.name), role).unwrap();
            for name in [
                "MysqlRootPassword",
                "KeystoneFernetKeys",
                "RabbitCookie",
                "SSLKey",
                "BarbicanSimpleCryptoKek",
            ] {
                assert!(!needs.takes(name), "{role} in {} takes {name}", release.name);
            }
        }
    }
}

#[test]
fn where_releases_cannot_be_told_apart_a_role_takes_what_any_of_them_asks_for() {
    let several = needs(Some("wallaby or later"), "DistributedCompute").unwrap();
    assert!(several.takes("SnmpdReadonlyUserPassword"), "wallaby's alone");
    assert_eq!(
        several.origin(),
        "role DistributedCompute of tripleo-heat-templates 14.3.0 (wallaby), 18.0.0 (zed)"
    );
    let early = needs(Some("stein or before"), "Compute").unwrap();
    assert!(early.takes("RpcPassword") && early.takes("RabbitPassword"), "queens' and stein's");
}

#[test]
fn a_release_that_lacks_the_role_is_not_asked() {
    let stein = needs(Some("stein"), "DistributedCompute").unwrap();
    assert_eq!(needs(Some("stein or before"), "DistributedCompute").unwrap(), stein);
}

#[test]
fn whatever_a_pull_calls_a_release_has_a_table() {
    for layout in [Layout::Outputs, Layout::ConfigDownload, Layout::WorkingDirectory] {
        let count = releases(Some(&layout.to_string())).unwrap().len();
        assert_eq!(count, RELEASES.iter().filter(|release| layout_of(release.name) == layout).count());
    }
    for release in crate::source::Release::ALL {
        assert_eq!(releases(Some(release.name())).unwrap().len(), 1, "{}", release.name());
    }
}

fn layout_of(release: &str) -> Layout {
    crate::source::Release::named(release).unwrap().layout()
}

#[test]
fn the_origin_names_the_package_its_version_and_the_release() {
    let origin = |role| needs(Some("train"), role).unwrap().origin();
    assert_eq!(
        origin("DistributedCompute"),
        "role DistributedCompute of tripleo-heat-templates 11.6.0 (train)"
    );
    assert_eq!(
        origin("DistributedComputeHCI+dcn-storage.yaml"),
        "role DistributedComputeHCI + dcn-storage of tripleo-heat-templates 11.6.0 (train)"
    );
}

#[test]
fn what_an_environment_file_would_add_can_be_listed() {
    let added = environments(Some("train"), "DistributedComputeHCI").unwrap();
    assert_eq!(added["dcn"], ["GlancePassword"].into());
    assert_eq!(added["dcn-storage"], ["EtcdInitialClusterToken", "GlancePassword"].into());
    assert!(!added.contains_key("services/ironic"), "it adds nothing to this role");
    let more = environments(Some("train"), "DistributedComputeHCI + dcn").unwrap();
    assert_eq!(more["dcn-storage"], ["EtcdInitialClusterToken"].into());
}

#[test]
fn without_a_release_nothing_is_guessed() {
    assert_eq!(needs(None, "Compute"), Err(RoleError::NoRelease));
    assert_eq!(roles(None), Err(RoleError::NoRelease));
    for release in ["antelope", "", "train to", "zed to train", "train or never"] {
        let error = needs(Some(release), "Compute").unwrap_err();
        assert!(matches!(error, RoleError::NoTable { .. }), "{release}: {error:?}");
        assert!(error.hint().contains("queens, rocky, stein, train, ussuri, victoria, wallaby, zed"));
    }
}

#[test]
fn a_role_that_is_none_is_refused_with_the_nearest_and_the_way_to_give_a_list() {
    let refused = |role| needs(Some("train"), role).unwrap_err();
    let error = refused("DistributedComptue");
    assert_eq!(error.to_string(), "TripleO train has no role `DistributedComptue`");
    assert!(error.hint().starts_with("write `DistributedCompute` if that is meant; "), "{}", error.hint());
    let error = refused("OurEdgeGateway");
    assert!(error.hint().contains("edge1: {secrets: [Nova*"), "{}", error.hint());
    assert_eq!(refused("\u{1b}[2J").to_string(), "TripleO train has no role `\\u{1b}[2J`");
    assert!(matches!(refused(""), RoleError::NoRole { .. }));
}

#[test]
fn an_environment_file_that_adds_nothing_is_refused_with_the_nearest() {
    let refused = |role| needs(Some("train"), role).unwrap_err();
    let error = refused("Compute + ceph-ansible");
    assert_eq!(
        error.to_string(),
        "no environment file `ceph-ansible` adds a secret to a role of TripleO train"
    );
    assert!(error.hint().contains("`ceph-ansible/ceph-ansible`"), "{}", error.hint());
    assert!(refused("Compute + dcn-storge").hint().contains("`dcn-storage`"));
    assert!(refused("Compute + our-own").hint().contains("secrets: ["));
    assert!(matches!(refused("Compute +"), RoleError::NoEnvironment { .. }));
}

#[test]
fn the_roles_of_a_release_can_be_listed() {
    let train = roles(Some("train")).unwrap();
    assert!(train.contains("DistributedComputeHCI") && train.contains("Controller"));
    assert!(!train.contains("Undercloud"));
    assert!(!roles(Some("rocky")).unwrap().contains("DistributedCompute"));
}
