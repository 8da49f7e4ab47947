"""What orgs, campaigns and pages share in the Catalog table: their base shape, numbers and unique names."""
