"""The auditor: recounts Kafka on its own and compares what terminals stated with what is stored. Changes no figure."""
