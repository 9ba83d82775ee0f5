"""What every service process shares: settings, telemetry, readiness, gRPC server, start and graceful stop.

It knows nothing of sales. Start with `fucai.runtime.service`.
"""
