export default defineAppConfig({
  pages: [
    'pages/home/index',
    'pages/complaints/submit',
    'pages/complaints/list',
    'pages/complaints/detail',
    'pages/receipt/index',
    'pages/rectifications/list',
    'pages/rectifications/detail',
    'pages/rectifications/create',
    'pages/board/township',
    'pages/board/village',
    'pages/sign-in/binding',
    'pages/sign-in/staff',
    'pages/desk/index',
    'pages/duties/detail',
  ],
  window: {
    navigationBarTitleText: '清风',
    navigationBarBackgroundColor: '#0b6b4f',
    navigationBarTextStyle: 'white',
    backgroundColor: '#f3f6f4',
  },
})
