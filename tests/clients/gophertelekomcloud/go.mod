module vitrine/tests/clients/gophertelekomcloud

go 1.21

require github.com/opentelekomcloud/gophertelekomcloud v0.9.4
