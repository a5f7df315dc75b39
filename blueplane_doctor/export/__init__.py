"""What other monitoring is given: rules and dashboards made from the checks and the scales in force."""
