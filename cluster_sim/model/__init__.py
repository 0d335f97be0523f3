"""What a cluster is: servers, tiers, replicas, arrivals and service; no engine."""
