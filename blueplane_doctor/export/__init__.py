"""Rules and dashboards for other monitoring, made from the scales in force."""
