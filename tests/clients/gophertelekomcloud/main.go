// The extension through the cloud's own Go SDK: every function of its ims packages.
// Prints "ok" last; any surprise ends it with a message and status 1.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	golangsdk "github.com/opentelekomcloud/gophertelekomcloud"
	"github.com/opentelekomcloud/gophertelekomcloud/openstack"
	"github.com/opentelekomcloud/gophertelekomcloud/openstack/image/v2/images"
	"github.com/opentelekomcloud/gophertelekomcloud/openstack/ims/v1/members"
	"github.com/opentelekomcloud/gophertelekomcloud/openstack/ims/v1/others"
	reads "github.com/opentelekomcloud/gophertelekomcloud/openstack/ims/v2/members"
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

// refused checks that the service answered with this status and code.
func refused(err error, status int, code string, what string) {
	var answer golangsdk.ErrUnexpectedResponseCode
	switch one := err.(type) {
	case golangsdk.ErrDefault400:
		answer = one.ErrUnexpectedResponseCode
	case golangsdk.ErrDefault404:
		answer = one.ErrUnexpectedResponseCode
	default:
		check(errors.As(err, &answer), what, err)
	}
	check(answer.Actual == status && strings.Contains(string(answer.Body), `"`+code+`"`), what, err)
}

// user is one project's view through both versions of the API.
type user struct {
	v1, v2 *golangsdk.ServiceClient
}

func login(name string, password string) user {
	provider, err := openstack.AuthenticatedClient(golangsdk.AuthOptions{
		IdentityEndpoint: os.Getenv("AUTH_URL"),
		Username:         name,
		Password:         password,
		TenantName:       name,
		DomainName:       "Default",
	})
	must(err, "login of "+name)
	v1, err := openstack.NewIMSV1(provider, golangsdk.EndpointOpts{})
	must(err, "endpoint of ims v1")
	v2, err := openstack.NewIMSV2(provider, golangsdk.EndpointOpts{})
	must(err, "endpoint of ims v2")
	return user{v1, v2}
}

func (u user) await(job *string, err error, what string) *others.JobResponse {
	must(err, what)
	must(others.WaitForJob(u.v1, *job, 60), what)
	shown, err := others.ShowJob(u.v1, *job)
	must(err, what)
	check(shown.Status == "SUCCESS", what, shown)
	return shown
}

// inBulk shares images, answers, and takes the shares back.
func inBulk(demo user, alt user) {
	altProject := alt.v1.ProjectID
	ids := []string{}
	for _, name := range []string{"otc-one", "otc-two"} {
		image, err := images.Create(demo.v2, images.CreateOpts{
			Name: name, DiskFormat: "raw", ContainerFormat: "bare", Visibility: "private"})
		must(err, "create")
		must(images.Upload(demo.v2, image.Id, bytes.NewReader([]byte(name))), "upload")
		image, err = images.Get(demo.v2, image.Id)
		must(err, "get")
		check(image.Status == "active" && image.ImageSize == "7", "image", image)
		ids = append(ids, image.Id)
	}

	batch := members.BatchMembersOpts{Images: ids, Projects: []string{altProject}}
	job, err := members.BatchAddMembers(demo.v1, batch)
	shown := demo.await(job, err, "batch add")
	check(shown.JobType == "imsAddImageMembersJob", "job type", shown)
	check(len(shown.Entities.Results) == 2, "results", shown.Entities)
	for index, result := range shown.Entities.Results {
		check(result.Status == "success" && result.ImageId == ids[index] &&
			result.ProjectId == altProject, "result", result)
	}
	job, err = members.BatchUpdateMembers(alt.v1, members.BatchUpdateMembersOpts{
		Images: ids, ProjectId: altProject, Status: "accepted"})
	alt.await(job, err, "batch accept")
	member, err := reads.GetMember(demo.v2, reads.GetMemberOpts{ImageId: ids[0], MemberId: altProject})
	must(err, "get a member")
	check(member.Status == "accepted", "member", member)

	quota, err := others.ShowImageQuota(demo.v1)
	must(err, "quota")
	check(len(quota) == 3 && quota[0].Type == "image" && quota[0].Used >= 2 && quota[1].Used >= 2,
		"quota", quota)

	job, err = members.BatchDeleteMembers(demo.v1, batch)
	demo.await(job, err, "batch delete")
	_, err = images.Get(alt.v2, ids[0])
	check(err != nil, "get without a share", err)

	batch.Images = append(batch.Images, "00000000-0000-4000-8000-000000000000")
	job, err = members.BatchAddMembers(demo.v1, batch)
	must(err, "batch add with an unknown image")
	err = others.WaitForJob(demo.v1, *job, 60)
	check(err != nil, "a job with a failed pair ends in an error", err)
	for _, id := range ids {
		must(images.Delete(demo.v2, images.DeleteImageOpts{ImageId: id}), "delete")
	}
}

func main() {
	demo := login("demo", os.Getenv("DEMO_PASSWORD"))
	alt := login("alt", os.Getenv("ALT_PASSWORD"))
	inBulk(demo, alt)
	byTheNativeAPI(demo, alt)
	lifeOfAnImage(demo, alt)
	otherWaysIn(demo)
	whatIsNotThere(demo)
	tagsOfImages(demo)
	withAnAccessKey(demo)
	fmt.Println("ok")
}
