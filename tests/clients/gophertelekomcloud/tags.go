package main

import (
	"bytes"
	"os"
	"reflect"

	golangsdk "github.com/opentelekomcloud/gophertelekomcloud"
	"github.com/opentelekomcloud/gophertelekomcloud/openstack"
	"github.com/opentelekomcloud/gophertelekomcloud/openstack/common/tags"
	native "github.com/opentelekomcloud/gophertelekomcloud/openstack/image/v2/images"
	"github.com/opentelekomcloud/gophertelekomcloud/openstack/ims/v1/others"
	strings1 "github.com/opentelekomcloud/gophertelekomcloud/openstack/ims/v1/tags"
	"github.com/opentelekomcloud/gophertelekomcloud/openstack/ims/v2/images"
	pairs "github.com/opentelekomcloud/gophertelekomcloud/openstack/ims/v2/tags"
)

// tagged checks the tags of an image, which the service gives in the order of their keys.
func tagged(u user, id string, expected ...tags.ResourceTag) {
	seen, err := pairs.ListImageTags(u.v2, id)
	must(err, "tags of an image")
	check(len(seen) == len(expected) && (len(seen) == 0 || reflect.DeepEqual(seen, expected)),
		"tags of an image", seen)
}

func declared(u user, name string) string {
	image, err := native.Create(u.v2, native.CreateOpts{Name: name, DiskFormat: "raw"})
	must(err, "native create")
	return image.Id
}

func tagsOfImages(demo user) {
	id := declared(demo, "otc-tagged")
	tagged(demo, id)
	must(pairs.AddImageTag(demo.v2, pairs.AddImageTagOpts{ImageId: id,
		Tag: tags.ResourceTag{Key: "otc-env", Value: "prod"}}), "add a tag")
	must(pairs.AddImageTag(demo.v2, pairs.AddImageTagOpts{ImageId: id,
		Tag: tags.ResourceTag{Key: "otc-env", Value: "test"}}), "add it again")
	tagged(demo, id, tags.ResourceTag{Key: "otc-env", Value: "test"})
	must(pairs.BatchAddOrDeleteTags(demo.v2, pairs.BatchAddOrDeleteTagsOpts{ImageId: id,
		Action: "create", Tags: []tags.ResourceTag{{Key: "otc-a", Value: "1"}, {Key: "otc-b"}}}),
		"add tags")
	must(pairs.BatchAddOrDeleteTags(demo.v2, pairs.BatchAddOrDeleteTagsOpts{ImageId: id,
		Action: "create"}), "add no tags")
	// This one sends both forms of a tag, one of them empty.
	must(strings1.CreateOrUpdateTags(demo.v1, strings1.CreateOrUpdateTagsOpts{ImageId: id,
		Tag: "otc-c.3", ImageTag: tags.ResourceTag{Key: "", Value: ""}}), "add a tag by v1")
	tagged(demo, id, tags.ResourceTag{Key: "otc-a", Value: "1"}, tags.ResourceTag{Key: "otc-b"},
		tags.ResourceTag{Key: "otc-c", Value: "3"}, tags.ResourceTag{Key: "otc-env", Value: "test"})
	tagsAsStrings(demo, id)
	imagesByTags(demo, id)

	must(pairs.DeleteImageTag(demo.v2, pairs.DeleteImageTagOpts{ImageId: id, Key: "otc-env"}),
		"remove a tag")
	refused(pairs.DeleteImageTag(demo.v2, pairs.DeleteImageTagOpts{ImageId: id, Key: "otc-env"}),
		404, "IMG.0115", "remove it again")
	must(pairs.BatchAddOrDeleteTags(demo.v2, pairs.BatchAddOrDeleteTagsOpts{ImageId: id,
		Action: "delete", Tags: []tags.ResourceTag{{Key: "otc-a", Value: "other"}, {Key: "otc-b"},
			{Key: "otc-c", Value: "3"}}}), "remove tags")
	tagged(demo, id)
	remove(demo, id)
}

func tagsAsStrings(demo user, id string) {
	seen, err := strings1.ListTags(demo.v1, strings1.ListTagsOpts{Id: id})
	must(err, "tags by v1")
	check(reflect.DeepEqual(seen, []string{"otc-a=1", "otc-b", "otc-c=3", "otc-env=test"}),
		"tags by v1", seen)
	no := false
	seen, err = strings1.ListTags(demo.v1, strings1.ListTagsOpts{Id: id, Protected: &no,
		ImageType: "private", Limit: 2})
	must(err, "tags by v1, two of them")
	check(reflect.DeepEqual(seen, []string{"otc-a=1", "otc-b"}), "tags by v1, two of them", seen)
	found := listed(demo, images.ListImagesOpts{Tag: "otc-a=1"})
	check(len(found) == 1 && found[0].Id == id, "images by a tag", found)
}

func imagesByTags(demo user, id string) {
	second := declared(demo, "otc-second")
	must(pairs.AddImageTag(demo.v2, pairs.AddImageTagOpts{ImageId: second,
		Tag: tags.ResourceTag{Key: "otc-env", Value: "live"}}), "add a tag")
	all, err := pairs.ListImagesTags(demo.v2)
	must(err, "tags of a project")
	byKey := map[string][]string{}
	for _, one := range all {
		byKey[one.Key] = one.Values
	}
	check(reflect.DeepEqual(byKey["otc-env"], []string{"live", "test"}) &&
		reflect.DeepEqual(byKey["otc-b"], []string{""}), "tags of a project", all)

	asked := pairs.ListImageByTagsOpts{Action: "filter", Limit: "1", Offset: "0",
		Tags: []tags.ListedTag{{Key: "otc-env", Values: []string{"live", "test"}}}}
	page, err := pairs.ListImageByTags(demo.v2, asked)
	must(err, "images by tags")
	check(page.TotalCount == 2 && len(page.Resources) == 1 &&
		page.Resources[0].ResourceId == second && page.Resources[0].ResourceName == "otc-second" &&
		page.Resources[0].ResourceDetail.Status == "queued" &&
		reflect.DeepEqual(page.Resources[0].Tags,
			[]tags.ResourceTag{{Key: "otc-env", Value: "live"}}), "images by tags", page)
	asked.Offset = "1"
	page, err = pairs.ListImageByTags(demo.v2, asked)
	must(err, "the next of them")
	check(len(page.Resources) == 1 && page.Resources[0].ResourceId == id, "the next", page)
	for expected, opts := range map[int]pairs.ListImageByTagsOpts{
		0: {NotTags: []tags.ListedTag{{Key: "otc-env"}}},
		1: {NotTagsAny: []tags.ListedTag{{Key: "otc-b", Values: []string{}}}},
		2: {TagsAny: []tags.ListedTag{{Key: "otc-b"}, {Key: "otc-env", Values: []string{"live"}}}},
	} {
		opts.Action = "count"
		opts.Matches = []tags.ResourceTag{{Key: "resource_name", Value: "OTC-"}}
		counted, err := pairs.ListImageByTags(demo.v2, opts)
		must(err, "count by tags")
		check(counted.TotalCount == expected, "count by tags", counted)
	}
	untagged := declared(demo, "otc-untagged")
	page, err = pairs.ListImageByTags(demo.v2, pairs.ListImageByTagsOpts{Action: "filter",
		WithoutAnyTag: true, Matches: []tags.ResourceTag{{Key: "resource_id", Value: untagged}}})
	must(err, "images without tags")
	check(page.TotalCount == 1 && page.Resources[0].ResourceId == untagged, "without tags", page)
	remove(demo, untagged)
	remove(demo, second)
}

// withAnAccessKey does a little of all that with signed requests and no token.
func withAnAccessKey(demo user) {
	access := os.Getenv("ACCESS_KEY")
	if access == "" {
		return
	}
	for _, domain := range []string{"", "Default"} {
		provider, err := openstack.AuthenticatedClient(golangsdk.AKSKAuthOptions{
			IdentityEndpoint: os.Getenv("AUTH_URL"), ProjectName: "demo", Region: "RegionOne",
			Domain: domain, AccessKey: access, SecretKey: os.Getenv("SECRET_KEY")})
		must(err, "login with an access key")
		key := user{}
		key.v1, err = openstack.NewIMSV1(provider, golangsdk.EndpointOpts{})
		must(err, "endpoint of ims v1")
		key.v2, err = openstack.NewIMSV2(provider, golangsdk.EndpointOpts{})
		must(err, "endpoint of ims v2")
		check(key.v1.ProjectID == demo.v1.ProjectID, "project of the key", key.v1.ProjectID)

		id := declared(key, "otc-signed"+domain)
		must(pairs.AddImageTag(key.v2, pairs.AddImageTagOpts{ImageId: id,
			Tag: tags.ResourceTag{Key: "otc signed", Value: "ü/+ &"}}), "a signed tag")
		tagged(demo, id, tags.ResourceTag{Key: "otc signed", Value: "ü/+ &"})
		found := listed(key, images.ListImagesOpts{Tag: "otc signed=ü/+ &", SortKey: "name"})
		check(len(found) == 1 && found[0].Id == id, "a signed list", found)
		must(pairs.DeleteImageTag(key.v2, pairs.DeleteImageTagOpts{ImageId: id,
			Key: "otc signed"}), "a signed removal")
		quota, err := others.ShowImageQuota(key.v1)
		must(err, "signed quota")
		check(quota[0].Type == "image" && quota[0].Used >= 1, "signed quota", quota)
		must(native.Upload(key.v2, id, bytes.NewReader(disk)), "a signed upload")
		check(shown(key, id).Checksum == diskSum(), "the data of it", id)
		remove(key, id)
	}
}
