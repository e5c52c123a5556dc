use crate::azure;
use crate::google;

#[test]
fn the_types_that_matter_most_are_read() {
    let azure = "azurerm_resource_group azurerm_virtual_network azurerm_subnet \
        azurerm_network_security_group azurerm_network_security_rule azurerm_route_table \
        azurerm_public_ip azurerm_network_interface azurerm_linux_virtual_machine \
        azurerm_windows_virtual_machine azurerm_managed_disk azurerm_kubernetes_cluster \
        azurerm_container_group azurerm_container_registry azurerm_service_plan \
        azurerm_linux_web_app azurerm_windows_web_app azurerm_storage_account \
        azurerm_mssql_server azurerm_mssql_database azurerm_key_vault \
        azurerm_user_assigned_identity azurerm_log_analytics_workspace";
    assert_eq!(azure::types().join(" "), azure);
    let google = "google_compute_network google_compute_subnetwork google_compute_firewall \
        google_compute_instance google_compute_disk google_container_cluster \
        google_cloud_run_v2_service google_storage_bucket google_sql_database_instance \
        google_bigquery_dataset google_pubsub_topic google_pubsub_subscription \
        google_kms_crypto_key google_service_account google_secret_manager_secret";
    assert_eq!(google::types().join(" "), google);
}

#[test]
fn tables_name_what_can_be_asked_for() {
    for kind in &crate::table::Table::azure().types {
        let small = kind.resource.to_ascii_lowercase();
        assert!(kind.resource == small && kind.api.starts_with("20"), "{}", kind.kind);
        assert!(kind.within.is_none() || kind.ours.is_none(), "{}", kind.kind);
    }
    for kind in &crate::table::Table::google().types {
        assert!(kind.resource.contains(".googleapis.com/"), "{}", kind.kind);
    }
}
