//! The four outputs that a site needs, in the shapes of Stein.

use serde_json::{Map, Value, json};

/// Name, protocol, port and path; `Admin`, `Internal` and `Public` are made of each.
const SERVICES: &[(&str, &str, u16, &str)] = &[
    ("Cinder", "http", 8776, "/v1/%(tenant_id)s"),
    ("CinderV3", "http", 8776, "/v3/%(tenant_id)s"),
    ("Glance", "http", 9292, ""),
    ("Heat", "http", 8004, "/v1/%(tenant_id)s"),
    ("Keystone", "http", 5000, ""),
    ("Neutron", "http", 9696, ""),
    ("Nova", "http", 8774, "/v2.1"),
    ("ZaqarWebSocket", "ws", 9000, ""),
];

pub fn make_outputs(passwords: &Map<String, Value>) -> Vec<(String, String)> {
    [
        ("AllNodesConfig", all_nodes_config()),
        ("EndpointMap", endpoint_map()),
        ("GlobalConfig", global_config(passwords)),
        ("HostsEntry", hosts_entry()),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_string()))
    .to_vec()
}

fn endpoint_map() -> Value {
    let mut map = Map::new();
    for (name, protocol, port, path) in SERVICES {
        for audience in ["Admin", "Internal"] {
            map.insert(format!("{name}{audience}"), endpoint("172.17.0.107", protocol, *port, path));
        }
        let tls = endpoint("overcloud.example.com", &format!("{protocol}s"), port % 1000 + 13000, path);
        map.insert(format!("{name}Public"), tls);
    }
    map.insert("MysqlInternal".to_owned(), endpoint("172.17.0.107", "mysql+pymysql", 3306, ""));
    map.insert("SwiftInternal".to_owned(), endpoint("2001:db8::1a", "http", 8080, "/v1/AUTH_%(tenant_id)s"));
    Value::Object(map)
}

fn endpoint(address: &str, protocol: &str, port: u16, path: &str) -> Value {
    let host = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
    let base = format!("{protocol}://{host}:{port}");
    json!({
        "host": host,
        "host_nobrackets": address,
        "port": port.to_string(),
        "protocol": protocol,
        "uri": format!("{base}{path}"),
        "uri_no_suffix": base,
    })
}

fn global_config(passwords: &Map<String, Value>) -> Value {
    json!({
        "oslo_messaging_rpc_scheme": "rabbit",
        "oslo_messaging_rpc_user_name": "guest",
        "oslo_messaging_rpc_password": passwords["RpcPassword"],
        "oslo_messaging_rpc_use_ssl": "False",
        "oslo_messaging_rpc_port": 5672,
        "oslo_messaging_notify_scheme": "rabbit",
        "oslo_messaging_notify_user_name": "guest",
        "oslo_messaging_notify_password": passwords["NotifyPassword"],
        "oslo_messaging_notify_use_ssl": "False",
        "oslo_messaging_notify_port": 5672,
    })
}

fn all_nodes_config() -> Value {
    let names: Vec<String> = (0..3).map(|node| format!("overcloud-controller-{node}")).collect();
    let addresses: Vec<String> = (0..3).map(|node| format!("172.17.0.{}", 20 + node)).collect();
    let mut config = json!({
        "bootstrap_nodeid": names[0],
        "bootstrap_nodeid_ip": addresses[0],
        "container_cli": "podman",
        "controller_node_ips": addresses.join(","),
        "controller_node_names": names.join(","),
        "deploy_identifier": "1589362200",
        "nova::cpu_allocation_ratio": 16.0,
        "nova::reserved_host_memory": 4096,
        "redis_vip": "172.17.0.252",
        "stack_action": "UPDATE",
        "stack_update_type": "",
        "update_identifier": null,
    });
    // beyond 2^53 and beyond 64 bits: readers that go by way of a float or an integer type change it
    config["nova::huge"] = serde_json::from_str("123456789012345678901234567890").unwrap();
    let services = ["keystone", "memcached", "mysql", "oslo_messaging_rpc", "oslo_messaging_notify"];
    for service in services {
        let long: Vec<String> = names.iter().map(|name| format!("{name}.internalapi.localdomain")).collect();
        config[format!("{service}_enabled")] = json!("true");
        config[format!("{service}_node_ips")] = json!(addresses);
        config[format!("{service}_node_names")] = json!(long);
        config[format!("{service}_short_bootstrap_node_name")] = json!(names[0]);
        config[format!("{service}_short_node_names")] = json!(names);
    }
    config["enabled_services"] = json!(services);
    config
}

/// One string up to Stein; a list from Train on.
fn hosts_entry() -> Value {
    let mut lines = Vec::new();
    for node in 0..3 {
        let (name, address) = (format!("overcloud-controller-{node}"), 20 + node);
        lines.push(format!("172.17.0.{address} {name}.localdomain {name}"));
        for (number, network) in
            ["storage", "internalapi", "storagemgmt", "tenant", "ctlplane"].iter().enumerate()
        {
            lines.push(format!(
                "172.{}.0.{address} {name}.{network}.localdomain {name}.{network}",
                16 + number
            ));
        }
        lines.push(String::new());
    }
    lines.push("192.168.24.6  overcloud.ctlplane.localdomain".to_owned());
    lines.push("10.0.0.5  overcloud.localdomain".to_owned());
    json!(lines.join("\n"))
}
