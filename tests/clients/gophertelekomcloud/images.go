package main

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/opentelekomcloud/gophertelekomcloud/openstack/common/tags"
	native "github.com/opentelekomcloud/gophertelekomcloud/openstack/image/v2/images"
	member "github.com/opentelekomcloud/gophertelekomcloud/openstack/image/v2/members"
	v1 "github.com/opentelekomcloud/gophertelekomcloud/openstack/ims/v1/images"
	"github.com/opentelekomcloud/gophertelekomcloud/openstack/ims/v1/members"
	"github.com/opentelekomcloud/gophertelekomcloud/openstack/ims/v1/others"
	"github.com/opentelekomcloud/gophertelekomcloud/openstack/ims/v2/images"
	reads "github.com/opentelekomcloud/gophertelekomcloud/openstack/ims/v2/members"
	"github.com/opentelekomcloud/gophertelekomcloud/pagination"
)

const debian = "Debian GNU/Linux 12.0.0 64bit"

var disk = bytes.Repeat([]byte("sixteen bytes ok"), 1<<16)

func diskSum() string {
	sum := md5.Sum(disk)
	return hex.EncodeToString(sum[:])
}

// file gives the path of a file in demo's bucket "sdk".
func file(name string) string {
	return filepath.Join(os.Getenv("BUCKET_FOLDER"), name)
}

// put writes a file into the bucket and gives its address.
func put(name string, data []byte) string {
	must(os.WriteFile(file(name), data, 0o644), "a file in the bucket")
	return "sdk:" + name
}

func listed(u user, opts images.ListImagesOpts) []images.ImageInfo {
	found, err := images.ListImages(u.v2, opts)
	must(err, "list")
	return found
}

func ids(found []images.ImageInfo) []string {
	all := []string{}
	for _, image := range found {
		all = append(all, image.Id)
	}
	return all
}

// shown is the one image with this id.
func shown(u user, id string) images.ImageInfo {
	found := listed(u, images.ListImagesOpts{Id: id})
	check(len(found) == 1, "one image by its id", found)
	return found[0]
}

func remove(u user, id string) {
	must(native.Delete(u.v2, native.DeleteImageOpts{ImageId: id, DeleteBackup: true}), "delete")
	check(len(listed(u, images.ListImagesOpts{Id: id})) == 0, "gone from the list at once", id)
}

// lifeOfAnImage takes one from a bucket through all that may happen to it, and back into a bucket.
func lifeOfAnImage(demo user, alt user) {
	id := created(demo)
	found(demo, id)
	patched(demo, id)
	copied(demo, id, alt)
	exported(demo, id)
	remove(demo, id)
}

func created(demo user) string {
	job, err := images.CreateImageFromOBS(demo.v2, images.CreateImageFromOBSOpts{
		Name: "otc-web", Description: "front", OsVersion: debian, ImageUrl: put("web.raw", disk),
		MinDisk: 1, MinRam: 512, MaxRam: 4096, IsConfig: true, Type: "ECS",
		ImageTags: []tags.ResourceTag{{Key: "otc", Value: "web"}}})
	ended := demo.await(job, err, "create from a bucket")
	check(ended.JobType == "imsImportImageJob" && ended.Entities.ImageName == "otc-web" &&
		ended.JobId == *job && ended.BeginTime != "" && ended.EndTime != "" &&
		ended.ErrorCode == "" && ended.FailReason == "", "import job", ended)
	image := shown(demo, ended.Entities.ImageId)
	check(image.Name == "otc-web" && image.Status == "active" && image.Visibility == "private" &&
		image.Owner == demo.v1.ProjectID && image.Size == len(disk) &&
		image.ImageSize == strconv.Itoa(len(disk)) && image.Checksum == diskSum() &&
		image.MinDisk == 1 && image.MinRam == 512 && image.MaxRam == "4096" &&
		image.DiskFormat == "raw" && image.ContainerFormat == "bare", "what was stored", image)
	check(image.Description == "front" && image.OsVersion == debian && image.OsType == "Linux" &&
		image.OsBit == "64" && image.Platform == "Debian" && image.Imagetype == "private" &&
		image.Isregistered == "true" && image.ImageSourceType == "uds" &&
		image.VirtualEnvType == "FusionCompute" && image.RootOrigin == "file" &&
		image.DataOrigin == "file,sdk:web.raw" && image.SupportKvm == "true" &&
		!*image.Protected && image.ActiveAt != "" && !image.CreatedAt.IsZero() &&
		reflect.DeepEqual(image.Tags, []string{"otc=web"}), "what is told of it", image)
	return image.Id
}

// found looks for an image by all that a list can be narrowed with.
func found(demo user, id string) {
	yes, no := true, false
	for _, opts := range []images.ListImagesOpts{
		{Name: "otc-web"}, {Tag: "otc=web"}, {Tag: "otc=web", ImageType: "private"},
		{Tag: "otc=web", Platform: "Debian", OsType: "Linux", OsBit: "64", IsRegistered: "true"},
		{Tag: "otc=web", Protected: &no, WholeImage: &no, Status: "active", Visibility: "private"},
		{Tag: "otc=web", DiskFormat: "raw", ContainerFormat: "bare", MinDisk: 1, MinRam: 512},
		{Tag: "otc=web", SizeMin: int64(len(disk)), SizeMax: int64(len(disk)), SupportKvm: "true"},
		{Tag: "otc=web", Owner: demo.v1.ProjectID, VirtualEnvType: "FusionCompute", Limit: 1},
		{Tag: "otc=web", SortKey: "name", SortDir: "asc", CreatedAt: "gt:2020-01-01T00:00:00Z"},
		{Tag: "otc=web", EnterpriseProjectId: "0", UpdatedAt: "gte:2020-01-01T00:00:00Z"},
	} {
		got := ids(listed(demo, opts))
		check(len(got) == 1 && got[0] == id, fmt.Sprintf("a list by %+v", opts), got)
	}
	for _, opts := range []images.ListImagesOpts{
		{Tag: "otc=web", ImageType: "gold"}, {Tag: "otc=web", Platform: "Windows"},
		{Tag: "otc=web", Protected: &yes}, {Tag: "otc=web", WholeImage: &yes},
		{Tag: "otc=web", SizeMin: int64(len(disk)) + 1}, {Tag: "otc=web", SystemCmkId: "k"},
		{Tag: "otc=web", CreatedAt: "lt:2020-01-01T00:00:00Z"}, {Tag: "otc"},
	} {
		got := ids(listed(demo, opts))
		check(len(got) == 0, fmt.Sprintf("a list by %+v", opts), got)
	}
}

func patched(demo user, id string) {
	_, err := images.UpdateImage(demo.v2, id, []images.UpdateImageOpts{
		{Op: "replace", Path: "/name", Value: "otc-renamed"},
		{Op: "replace", Path: "/hw_firmware_type", Value: "uefi"}})
	refused(err, 400, "IMG.0035", "replace of what is not there")
	check(shown(demo, id).Name == "otc-web", "nothing of a refused update", id)
	image, err := images.UpdateImage(demo.v2, id, []images.UpdateImageOpts{
		{Op: "replace", Path: "/name", Value: "otc-renamed"},
		{Op: "add", Path: "/hw_firmware_type", Value: "uefi"},
		{Op: "replace", Path: "/min_ram", Value: 1024},
		{Op: "replace", Path: "/max_ram", Value: 2048},
		{Op: "replace", Path: "/__description", Value: "back"}})
	must(err, "update")
	stored := shown(demo, id)
	for _, one := range []images.ImageInfo{*image, stored} {
		check(one.Name == "otc-renamed" && one.HwFirmwareType == "uefi" && one.MinRam == 1024 &&
			one.MaxRam == "2048" && one.Description == "back", "what was updated", one)
	}
	image, err = images.UpdateImage(demo.v2, id, []images.UpdateImageOpts{
		{Op: "remove", Path: "/max_ram"}})
	must(err, "update that removes")
	check(image.MaxRam == "" && shown(demo, id).MaxRam == "", "what was removed", image)
	image, err = native.Update(demo.v2, id, []images.UpdateImageOpts{
		{Op: "replace", Path: "/name", Value: "otc-native"}})
	must(err, "native update")
	check(image.Name == "otc-native" && shown(demo, id).Name == "otc-native", "its name", image)
}

// byTheNativeAPI walks a list page by page and shares an image with its own calls.
func byTheNativeAPI(demo user, alt user) {
	made := map[string]bool{}
	for _, name := range []string{"otc-page-1", "otc-page-2", "otc-page-3"} {
		image, err := native.Create(demo.v2, native.CreateOpts{Name: name, DiskFormat: "raw",
			ContainerFormat: "bare", Tags: []string{"otc-page"}})
		must(err, "native create")
		made[image.Id] = true
	}
	pages := 0
	err := native.List(demo.v2, images.ListImagesOpts{Tag: "otc-page", Limit: 1}).EachPage(
		func(page pagination.Page) (bool, error) {
			rows, err := native.ExtractImages(page)
			pages++
			check(len(rows) == 1 && made[rows[0].Id], "a page of one", rows)
			made[rows[0].Id] = false
			return true, err
		})
	must(err, "native list")
	check(pages == 3, "three pages", pages)
	for id, missed := range made {
		check(!missed, "an image on no page", id)
		remove(demo, id)
	}

	image, err := native.Create(demo.v2, native.CreateOpts{Name: "otc-native", DiskFormat: "raw"})
	must(err, "native create")
	asked := member.MemberOpts{ImageId: image.Id, MemberId: alt.v1.ProjectID}
	row, err := member.Create(demo.v2, asked)
	must(err, "native share")
	check(row.Status == "pending" && row.ImageId == image.Id, "native share", row)
	_, err = member.Create(demo.v2, asked)
	check(err != nil, "the same member again", err)
	row, err = member.Update(alt.v2, member.UpdateOpts{ImageId: image.Id,
		MemberId: alt.v1.ProjectID, Status: "accepted"})
	must(err, "native accept")
	check(row.Status == "accepted", "native accept", row)
	row, err = member.Get(alt.v2, asked)
	must(err, "native member")
	check(row.Status == "accepted" && row.MemberId == alt.v1.ProjectID, "native member", row)
	must(member.Delete(demo.v2, asked), "native removal of a member")
	_, err = member.Get(demo.v2, asked)
	check(err != nil, "a member that is none", err)
	remove(demo, image.Id)
}

// copied shares an image, which the other project copies for itself.
func copied(demo user, id string, alt user) {
	ask := others.CopyImageInRegionOpts{ImageId: id, Name: "otc-copy", Description: "mine"}
	_, err := others.CopyImageInRegion(alt.v1, ask)
	refused(err, 404, "IMG.0144", "copy of what is not shared")
	batch := members.BatchMembersOpts{Images: []string{id}, Projects: []string{alt.v1.ProjectID}}
	job, err := members.BatchAddMembers(demo.v1, batch)
	demo.await(job, err, "share")
	pending := listed(alt, images.ListImagesOpts{Id: id, MemberStatus: "pending"})
	check(len(pending) == 1 && pending[0].Imagetype == "shared", "a share to be answered", pending)
	_, err = others.CopyImageInRegion(alt.v1, ask)
	refused(err, 400, "IMG.0196", "copy of what is not accepted")
	job, err = members.BatchUpdateMembers(alt.v1, members.BatchUpdateMembersOpts{
		Images: []string{id}, ProjectId: alt.v1.ProjectID, Status: "accepted"})
	alt.await(job, err, "accept")
	all, err := reads.ListMembers(demo.v2, id)
	must(err, "list members")
	check(len(all.Members) == 1 && all.Members[0].MemberId == alt.v1.ProjectID &&
		all.Members[0].ImageId == id && all.Members[0].Status == "accepted", "members", all)
	_, err = images.UpdateImage(alt.v2, id, []images.UpdateImageOpts{
		{Op: "replace", Path: "/name", Value: "theirs"}})
	refused(err, 400, "IMG.0047", "update by one who received")

	job, err = others.CopyImageInRegion(alt.v1, ask)
	ended := alt.await(job, err, "copy")
	check(ended.JobType == "imsCopyImageInRegionJob", "copy job", ended)
	source, made := shown(demo, id), shown(alt, ended.Entities.ImageId)
	check(made.Name == "otc-copy" && made.Description == "mine" && made.Visibility == "private" &&
		made.Owner == alt.v1.ProjectID && made.Checksum == source.Checksum &&
		made.Originalimagename == id && made.DataOrigin == "image,"+id &&
		made.OsVersion == debian && made.HwFirmwareType == "uefi" && len(made.Tags) == 0,
		"the copy", made)
	check(len(listed(demo, images.ListImagesOpts{Id: made.Id})) == 0, "seen by others", made)
	remove(alt, made.Id)
	job, err = members.BatchDeleteMembers(demo.v1, batch)
	demo.await(job, err, "take the share back")
	check(len(listed(alt, images.ListImagesOpts{Id: id})) == 0, "seen without a share", id)
}

// exported writes an image to the bucket as it is and in the cloud's own format, which comes back.
func exported(demo user, id string) {
	yes := true
	job, err := v1.ExportImage(demo.v1, v1.ExportImageOpts{ImageId: id,
		BucketUrl: "sdk:out/same.raw", FileFormat: "vhd", IsQuickExport: &yes})
	ended := demo.await(job, err, "quick export")
	check(ended.Entities.ImageId == id, "export job", ended)
	holds(file("out/same.raw"), disk)

	job, err = v1.ExportImage(demo.v1, v1.ExportImageOpts{ImageId: id,
		BucketUrl: "sdk:out/web.zvhd2", FileFormat: "zvhd2"})
	demo.await(job, err, "export")
	job, err = images.ImportImageQuick(demo.v2, images.ImportImageQuickOpts{Name: "otc-quick",
		OsVersion: debian, ImageUrl: "sdk:out/web.zvhd2", MinDisk: 1, Type: "ECS",
		Tags: []string{"otc.quick"}})
	ended = demo.await(job, err, "quick import")
	image := shown(demo, ended.Entities.ImageId)
	check(image.Name == "otc-quick" && image.DiskFormat == "zvhd2" && image.Lazyloading == "true" &&
		image.VirtualSize == len(disk) && reflect.DeepEqual(image.Tags, []string{"otc=quick"}),
		"quick import", image)
	job, err = v1.ExportImage(demo.v1, v1.ExportImageOpts{ImageId: image.Id,
		BucketUrl: "sdk:out/back.raw", FileFormat: "raw"})
	demo.await(job, err, "export back to raw")
	holds(file("out/back.raw"), disk)
	remove(demo, image.Id)

	job, err = v1.ExportImage(demo.v1, v1.ExportImageOpts{ImageId: id,
		BucketUrl: "sdk:out/back.raw", FileFormat: "raw"})
	failed(demo, job, err, "IMG.0070", "export to a file that is there")
	_, err = v1.ExportImage(demo.v1, v1.ExportImageOpts{ImageId: id, BucketUrl: "sdk:x",
		FileFormat: "floppy"})
	refused(err, 400, "IMG.0072", "export to a format that is none")
}

func holds(path string, data []byte) {
	seen, err := os.ReadFile(path)
	must(err, "a file of the bucket")
	check(bytes.Equal(seen, data), path, len(seen))
}

// failed waits for a job that ends in an error, of which the client tells the reason.
func failed(u user, job *string, err error, code string, what string) *others.JobResponse {
	must(err, what)
	err = others.WaitForJob(u.v1, *job, 60)
	check(err != nil, what, "success")
	shown, another := others.ShowJob(u.v1, *job)
	must(another, what)
	check(shown.Status == "FAIL" && shown.ErrorCode == code &&
		strings.Contains(err.Error(), shown.FailReason) && shown.FailReason != "", what, shown)
	return shown
}

// otherWaysIn makes a data disk and fills an image that was only declared.
func otherWaysIn(demo user) {
	job, err := v1.CreateDataImage(demo.v1, v1.CreateDataImageOpts{Name: "otc-data",
		Description: "of a base", OsType: "Windows", ImageUrl: put("data.raw", disk), MinDisk: 40,
		ImageTags: []tags.ResourceTag{{Key: "otc", Value: "data"}}})
	ended := demo.await(job, err, "data image")
	check(ended.JobType == "imsImportDataImageJob", "data image job", ended)
	image := shown(demo, ended.Entities.ImageId)
	check(image.VirtualEnvType == "DataImage" && image.OsType == "Windows" && image.MinDisk == 40 &&
		image.OsVersion == "Other Windows(64 bit)" && image.Description == "of a base",
		"data image", image)
	remove(demo, image.Id)

	declared, err := native.Create(demo.v2, native.CreateOpts{Name: "otc-declared",
		OsVersion: debian, DiskFormat: "raw", MinDisk: 2, Tags: []string{"otc-plain"}})
	must(err, "native create")
	check(declared.Status == "queued" && declared.ImageSize == "0" && declared.Size == 0 &&
		declared.Platform == "Debian", "declared image", declared)
	job, err = v1.RegisterImage(demo.v1, v1.RegisterImageOpts{ImageId: declared.Id,
		ImageUrl: "sdk:nowhere"})
	ended = failed(demo, job, err, "IMG.0057", "register of a file that is not there")
	check(ended.Entities.ImageId == declared.Id && shown(demo, declared.Id).Status == "queued",
		"a failed register", ended)
	job, err = v1.RegisterImage(demo.v1, v1.RegisterImageOpts{ImageId: declared.Id,
		ImageUrl: "sdk:data.raw"})
	ended = demo.await(job, err, "register")
	image = shown(demo, declared.Id)
	check(ended.JobType == "imsNativeImportImageJob" && image.Status == "active" &&
		image.Size == len(disk) && image.MinDisk == 2, "a registered image", image)
	remove(demo, declared.Id)
}

// whatIsNotThere asks for images of servers, volumes and backups, which no backend here has.
func whatIsNotThere(demo user) {
	id := "00000000-0000-4000-8000-000000000000"
	_, err := images.CreateImageFromECS(demo.v2, images.CreateImageFromECSOpts{
		Name: "otc-server", InstanceId: id})
	refused(err, 400, "IMG.0105", "an image of a server")
	_, err = images.CreateImageFromECS(demo.v2, images.CreateImageFromECSOpts{
		DataImages: []images.ECSDataImage{{Name: "otc-volume", VolumeId: id}}})
	refused(err, 400, "IMG.0105", "data images of volumes")
	_, err = images.CreateImageFromDisk(demo.v2, images.CreateImageFromDiskOpts{
		Name: "otc-volume", VolumeId: id, OsVersion: debian})
	refused(err, 400, "IMG.0105", "an image of a volume")
	_, err = v1.CreateWholeImageFromECS(demo.v1, v1.CreateWholeImageFromECSOpts{
		Name: "otc-whole", InstanceId: id})
	refused(err, 400, "IMG.0180", "a whole image of a server")
	_, err = v1.CreateWholeImageFromCBRorCSBS(demo.v1, v1.CreateWholeImageFromCBRorCSBSOpts{
		Name: "otc-whole", BackupId: id})
	refused(err, 400, "IMG.0180", "a whole image of a backup")
	_, err = others.ShowJob(demo.v1, "00000000000040008000000000000000")
	refused(err, 404, "IMG.0023", "a job that never was")
}
