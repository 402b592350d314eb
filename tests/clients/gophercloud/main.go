// The life of an image through gophercloud v2: made, filled, found, shared, accepted, read, removed.
// Prints "ok" last; any surprise ends it with a message and status 1.
package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/imagedata"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/members"
)

func must(err error, what string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func check(holds bool, what string, seen any) {
	if !holds {
		fmt.Fprintf(os.Stderr, "%s: got %+v\n", what, seen)
		os.Exit(1)
	}
}

func login(ctx context.Context, user string, password string) *gophercloud.ServiceClient {
	provider, err := openstack.AuthenticatedClient(ctx, gophercloud.AuthOptions{
		IdentityEndpoint: os.Getenv("AUTH_URL"),
		Username:         user,
		Password:         password,
		TenantName:       user,
		DomainName:       "Default",
		AllowReauth:      true,
	})
	must(err, "login of "+user)
	client, err := openstack.NewImageV2(provider, gophercloud.EndpointOpts{})
	must(err, "endpoint of the image service")
	return client
}

func main() {
	ctx := context.Background()
	demo := login(ctx, "demo", os.Getenv("DEMO_PASSWORD"))
	alt := login(ctx, "alt", os.Getenv("ALT_PASSWORD"))
	project := os.Getenv("ALT_PROJECT")
	data := bytes.Repeat([]byte("gophercloud "), 10000)

	image, err := images.Create(ctx, demo, images.CreateOpts{
		Name: "go-image", DiskFormat: "raw", ContainerFormat: "bare", Tags: []string{"go", "one"},
		Properties: map[string]string{"colour": "red", "os_distro": "debian"},
	}).Extract()
	must(err, "create")
	check(image.Status == images.ImageStatusQueued, "status after create", image)
	check(image.Properties["colour"] == "red" && image.Properties["os_distro"] == "debian",
		"properties", image.Properties)

	must(imagedata.Upload(ctx, demo, image.ID, bytes.NewReader(data)).ExtractErr(), "upload")
	image, err = images.Get(ctx, demo, image.ID).Extract()
	must(err, "get")
	sum := md5.Sum(data)
	check(image.Status == images.ImageStatusActive, "status after upload", image)
	check(image.Checksum == hex.EncodeToString(sum[:]), "checksum", image.Checksum)
	check(image.SizeBytes == int64(len(data)), "size", image.SizeBytes)
	err = imagedata.Upload(ctx, demo, image.ID, bytes.NewReader(data)).ExtractErr()
	check(gophercloud.ResponseCodeIs(err, http.StatusConflict), "second upload", err)

	image, err = images.Update(ctx, demo, image.ID, images.UpdateOpts{
		images.ReplaceImageName{NewName: "go-renamed"},
		images.ReplaceImageTags{NewTags: []string{"two"}},
		images.UpdateImageProperty{Op: images.ReplaceOp, Name: "colour", Value: "blue"},
		images.UpdateImageProperty{Op: images.AddOp, Name: "size_of_shoes", Value: "42"},
		images.ReplaceImageMinDisk{NewMinDisk: 1},
	}).Extract()
	must(err, "update")
	check(image.Name == "go-renamed" && image.MinDiskGigabytes == 1 && len(image.Tags) == 1 &&
		image.Properties["colour"] == "blue", "update", image)

	share(ctx, demo, alt, image.ID, project, data)

	must(images.Delete(ctx, demo, image.ID).ExtractErr(), "delete")
	err = images.Get(ctx, demo, image.ID).Err
	check(gophercloud.ResponseCodeIs(err, http.StatusNotFound), "get of what is deleted", err)
	pages(ctx, demo)
	fmt.Println("ok")
}

// share lets the other project have the image, and takes it away again.
func share(ctx context.Context, demo, alt *gophercloud.ServiceClient, image, project string,
	data []byte) {
	member, err := members.Create(ctx, demo, image, project).Extract()
	must(err, "add a member")
	check(member.Status == "pending" && member.MemberID == project, "new member", member)
	err = members.Create(ctx, demo, image, project).Err
	check(gophercloud.ResponseCodeIs(err, http.StatusConflict), "the same member again", err)
	err = members.Update(ctx, demo, image, project, members.UpdateOpts{Status: "accepted"}).Err
	check(gophercloud.ResponseCodeIs(err, http.StatusForbidden), "acceptance by the owner", err)
	member, err = members.Update(ctx, alt, image, project,
		members.UpdateOpts{Status: "accepted"}).Extract()
	must(err, "accept")
	check(member.Status == "accepted", "accepted member", member)

	all, err := members.List(demo, image).AllPages(ctx)
	must(err, "list members")
	rows, err := members.ExtractMembers(all)
	must(err, "read members")
	check(len(rows) == 1 && rows[0].Status == "accepted", "members", rows)

	body, err := imagedata.Download(ctx, alt, image).Extract()
	must(err, "download as the recipient")
	defer body.Close()
	read, err := io.ReadAll(body)
	must(err, "read the download")
	check(bytes.Equal(read, data), "downloaded bytes", len(read))

	must(members.Delete(ctx, demo, image, project).ExtractErr(), "remove the member")
	err = images.Get(ctx, alt, image).Err
	check(gophercloud.ResponseCodeIs(err, http.StatusNotFound), "get without a share", err)
}

// pages follows the links of a list.
func pages(ctx context.Context, demo *gophercloud.ServiceClient) {
	made := map[string]bool{}
	for range 5 {
		image, err := images.Create(ctx, demo, images.CreateOpts{
			Name: "go-page", Tags: []string{"go-pages"}}).Extract()
		must(err, "create")
		made[image.ID] = true
	}
	all, err := images.List(demo, images.ListOpts{Tags: []string{"go-pages"}, Limit: 2}).AllPages(ctx)
	must(err, "list")
	rows, err := images.ExtractImages(all)
	must(err, "read the list")
	for _, row := range rows {
		if !made[row.ID] {
			must(errors.New(row.ID), "an image twice or one that does not belong")
		}
		delete(made, row.ID)
		must(images.Delete(ctx, demo, row.ID).ExtractErr(), "delete")
	}
	check(len(made) == 0, "images that no page had", made)
}
