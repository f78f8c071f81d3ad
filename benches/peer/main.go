// The reference server of the side-by-side benchmark: openconfig/gnmi's collector on loopback.
//
// It is put together from the packages of gnmi_collector as that program does it, with one line more: the target is
// added to the cache. Without it, the program of release 0.14.1 drops every update ("target not found in cache").
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"math"
	"net"
	"os"
	"strings"
	"time"

	"github.com/openconfig/gnmi/cache"
	"github.com/openconfig/gnmi/connection"
	"github.com/openconfig/gnmi/manager"
	gnmipb "github.com/openconfig/gnmi/proto/gnmi"
	targetpb "github.com/openconfig/gnmi/proto/target"
	"github.com/openconfig/gnmi/subscribe"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

var (
	source    = flag.String("source", "", "where the data come from, host:port")
	target    = flag.String("target", "", "the target to subscribe to")
	tokenFile = flag.String("token_file", "", "the password for the source")
	certFile  = flag.String("cert_file", "", "certificate (PEM)")
	keyFile   = flag.String("key_file", "", "its key (PEM)")
)

// noPasswords is for configurations that name passwords instead of holding them.
type noPasswords struct{}

func (noPasswords) Lookup(_ context.Context, id string) (string, error) {
	return "", fmt.Errorf("no password is named %q", id)
}

// collect subscribes to everything of the target and keeps the cache up to date.
func collect(data *cache.Cache, token string) error {
	anybody := credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})
	dials, err := connection.NewManager(
		grpc.WithBlock(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)),
		grpc.WithTransportCredentials(anybody))
	if err != nil {
		return err
	}
	targets, err := manager.NewManager(manager.Config{
		Credentials:       noPasswords{},
		Reset:             data.Reset,
		Sync:              data.Sync,
		Connect:           data.Connect,
		ConnectError:      data.ConnectError,
		ConnectionManager: dials,
		Timeout:           time.Minute,
		Update: func(name string, change *gnmipb.Notification) {
			if change.GetPrefix() == nil {
				change.Prefix = &gnmipb.Path{}
			}
			change.Prefix.Target = name
			if err := data.GnmiUpdate(change); err != nil {
				log.Printf("dropped an update: %v", err)
			}
		},
	})
	if err != nil {
		return err
	}
	everything := &gnmipb.SubscriptionList{
		Prefix:       &gnmipb.Path{Target: *target},
		Encoding:     gnmipb.Encoding_PROTO,
		Subscription: []*gnmipb.Subscription{{Path: &gnmipb.Path{}, Mode: gnmipb.SubscriptionMode_ON_CHANGE}},
	}
	return targets.Add(*target,
		&targetpb.Target{
			Addresses:   []string{*source},
			Credentials: &targetpb.Credentials{Username: "token", Password: token},
		},
		&gnmipb.SubscribeRequest{Request: &gnmipb.SubscribeRequest_Subscribe{Subscribe: everything}})
}

func main() {
	flag.Parse()
	token, err := os.ReadFile(*tokenFile)
	if err != nil {
		log.Fatal(err)
	}
	secured, err := credentials.NewServerTLSFromFile(*certFile, *keyFile)
	if err != nil {
		log.Fatal(err)
	}
	data := cache.New(nil)
	data.Add(*target)
	server := grpc.NewServer(grpc.Creds(secured))
	readers, err := subscribe.NewServer(data)
	if err != nil {
		log.Fatal(err)
	}
	gnmipb.RegisterGNMIServer(server, readers)
	data.SetClient(readers.Update)
	if err := collect(data, strings.TrimSpace(string(token))); err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	log.Fatal(server.Serve(listener))
}
