import http from 'node:http'
const body = Buffer.from(JSON.stringify({id:1,name:'widget',tags:['a','b'],price:9.5}))
const s = http.createServer((q,r)=>{ q.resume(); r.writeHead(200,{'content-type':'application/json','content-length':body.length}); r.end(body)})
s.keepAliveTimeout=60000; s.listen(3998,'127.0.0.1',()=>console.log('up'))
setTimeout(()=>process.exit(0), 600000)
