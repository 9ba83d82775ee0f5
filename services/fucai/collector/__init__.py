"""The collector: takes batches from terminals, checks them, and answers once Kafka has them."""
