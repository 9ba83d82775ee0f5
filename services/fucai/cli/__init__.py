"""The `fucai` command: talks gRPC to the services, and starts them on one machine."""
