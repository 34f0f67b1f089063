"""What is known of Fluentd so far: how text gets into its configuration unharmed."""
